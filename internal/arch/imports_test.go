package arch

import (
	"go/ast"
	"slices"
	"strings"
)

// A floor says what the packages that match it may import of this module.
// Arrows point down only. A test may also import what tests names, and its own
// package.
type floor struct {
	packages string
	imports  []string
	tests    []string
}

// results are the packages whose types a front end reads.
var results = []string{"icmpx", "probe", "trace", "pmtu"}

// readers of decoded packets stand on them alone, and not on each other.
var readers = []string{"icmpx", "internal/packet"}

// captures are the packages that read, decode and judge captured packets.
var captures = []string{
	"internal/packet", "internal/capfile", "internal/filter", "internal/conversation",
	"internal/extract", "internal/fingerprint", "internal/compare", "internal/owner",
}

// floors is the picture of docs/architecture.md; the first row that matches a
// package holds. Nothing may import a row that no row names: integration and
// the commands stand on top. Only tests import probetest, and only
// cmd/icmpx-lab and integration the lab.
var floors = []floor{
	{packages: "icmpx", tests: []string{"internal/vectortest", "probe"}},
	{packages: "internal/quantile"},
	{packages: "internal/vectortest"},
	{packages: "probe", imports: []string{"icmpx", "internal/quantile"}, tests: []string{"probe/probetest"}},
	{packages: "probe/probetest", imports: []string{"icmpx", "probe"}},
	{packages: "internal/inbox", imports: []string{"probe"}},
	{packages: "trace", imports: []string{"icmpx", "internal/inbox", "probe"}, tests: []string{"probe/probetest"}},
	{packages: "pmtu", imports: []string{"icmpx", "internal/inbox", "probe"}, tests: []string{"probe/probetest"}},
	{packages: "internal/packet", imports: []string{"icmpx"}, tests: []string{"internal/capfile"}},
	{packages: "internal/capfile", imports: []string{"internal/packet"}, tests: []string{"internal/vectortest"}},
	{packages: "internal/filter", imports: append([]string{"internal/spelling"}, readers...), tests: []string{"internal/capfile"}},
	{packages: "internal/conversation", imports: append([]string{"internal/quantile"}, readers...), tests: []string{"internal/capfile"}},
	{packages: "internal/extract", imports: readers, tests: []string{"internal/capfile"}},
	{packages: "internal/fingerprint", imports: readers, tests: []string{"internal/capfile", "internal/vectortest"}},
	{packages: "internal/compare", imports: append([]string{"internal/quantile"}, readers...), tests: []string{"internal/capfile"}},
	{packages: "internal/owner"},
	{packages: "cmd/icmpx/...", imports: slices.Concat([]string{"cmd/icmpx/internal/...", "internal/spelling"}, results, captures), tests: []string{"internal/vectortest", "probe/probetest"}},
	{packages: "cmd/icmpx-lab", imports: []string{"icmpx", "integration/lab"}},
	{packages: "integration/lab/...", imports: []string{"icmpx", "integration/lab/..."}, tests: []string{"integration/labtest"}},
	{packages: "integration/...", imports: []string{"..."}},
	{packages: "internal/..."},
}

// checkFloors holds the arrows of the floors picture.
func checkFloors(p *pkg) []finding {
	var row *floor
	for i := range floors {
		if matches(p.path, floors[i].packages) {
			row = &floors[i]
			break
		}
	}
	if row == nil {
		return []finding{{key: p.path, text: "the package stands on no floor: give it a row in the table"}}
	}
	var found []finding
	for _, f := range p.files {
		f.imports(func(spec *ast.ImportSpec, path string) {
			if !ours(path) || matches(below(path), row.imports...) {
				return
			}
			if f.test && (below(path) == p.path || matches(below(path), row.tests...)) {
				return
			}
			found = append(found, f.find(spec, "%s must not import %s", p.path, below(path)))
		})
	}
	return found
}

// owners says which packages may import a foreign one, tests included.
var owners = []struct {
	imports  string
	packages []string
}{
	{"golang.org/x/sys/...", []string{"icmpx", "integration/..."}},
	{"golang.org/x/net/bpf", []string{"icmpx", "internal/filter", "integration/..."}},
	{"golang.org/x/term", []string{"cmd/..."}},
	{"github.com/urfave/...", []string{"cmd/..."}},
	{"github.com/vishvananda/...", []string{"integration/..."}},
	{"github.com/jsimonetti/...", []string{"integration/..."}},
	{"github.com/mdlayher/...", []string{"integration/..."}},
	{"github.com/google/nftables/...", []string{"integration/..."}},
	{"unsafe", []string{"icmpx", "integration/..."}},
	{"C", nil}, // the binary is static
}

// checkOwners keeps each tool in the hands of the package that it is for.
func checkOwners(p *pkg) []finding {
	var found []finding
	for _, f := range p.files {
		f.imports(func(spec *ast.ImportSpec, path string) {
			for _, o := range owners {
				if matches(path, o.imports) && !matches(p.path, o.packages...) {
					found = append(found, f.find(spec, "%s must not import %s", p.path, path))
				}
			}
		})
	}
	return found
}

// unlinked says what must not be in a build of a package at all, by whatever
// way: what is for tests, and what users of the library have no use for.
var unlinked = []struct {
	packages []string
	deps     []string
}{
	{[]string{"cmd/icmpx"}, []string{module + "/integration/...", "github.com/vishvananda/...", "github.com/google/nftables/..."}},
	{[]string{"icmpx", "probe", "trace", "pmtu"}, []string{"github.com/urfave/...", "net/http"}},
	{[]string{"cmd/...", "icmpx", "probe", "trace", "pmtu"}, []string{"github.com/gopacket/...", "testing"}},
}

// checkLinked holds the table of what is unlinked.
func checkLinked(p *pkg) []finding {
	var found []finding
	for _, u := range unlinked {
		if !matches(p.path, u.packages...) {
			continue
		}
		for _, dep := range p.deps {
			if matches(dep, u.deps...) {
				found = append(found, finding{key: p.path, text: p.path + " must not be linked with " + dep})
			}
		}
	}
	return found
}

// checkKernel leaves package syscall to icmpx and integration. All others may
// name its errors and signals, and call nothing.
func checkKernel(p *pkg) []finding {
	if matches(p.path, "icmpx", "integration/...") {
		return nil
	}
	var found []finding
	for _, f := range p.files {
		f.selectors("syscall", func(sel *ast.SelectorExpr) {
			if !namesErrorOrSignal(sel.Sel.Name) {
				found = append(found, f.find(sel, "syscall.%s: only errors and signals may be named here", sel.Sel.Name))
			}
		})
	}
	return found
}

func namesErrorOrSignal(name string) bool {
	constant := strings.ToUpper(name) == name
	return name == "Errno" || name == "Signal" ||
		constant && strings.HasPrefix(name, "SIG") ||
		constant && strings.HasPrefix(name, "E") && !strings.HasPrefix(name, "EPOLL")
}

// checkPlainImports refuses dot imports, which hide what a file uses from its
// reader and from these rules.
func checkPlainImports(p *pkg) []finding {
	var found []finding
	for _, f := range p.files {
		for _, spec := range f.ast.Imports {
			if spec.Name != nil && spec.Name.Name == "." {
				found = append(found, f.find(spec, "dot import of %s", spec.Path.Value))
			}
		}
	}
	return found
}
