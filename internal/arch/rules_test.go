package arch

import (
	"strings"
	"testing"
)

// A breach is a package that breaks a rule, or comes close to it and does not.
type breach struct {
	rule    string
	name    string
	path    string // of the package
	file    string // its only file
	src     string
	deps    []string
	findAll []string // what the findings say; none: the package is fine
}

// breaches show that each rule can fail, and that it does not where it should
// not.
var breaches = []breach{
	{rule: "floors", name: "wire knows no engine", path: "icmpx", file: "a.go",
		src: imports("icmpx", module+"/probe"), findAll: []string{"icmpx must not import probe"}},
	{rule: "floors", name: "test of the wire may", path: "icmpx", file: "a_test.go",
		src: imports("icmpx_test", module+"/probe", module+"/icmpx")},
	{rule: "floors", name: "engine knows no strategy", path: "probe", file: "a.go",
		src: imports("probe", module+"/icmpx", module+"/trace"), findAll: []string{"probe must not import trace"}},
	{rule: "floors", name: "strategies do not meet", path: "trace", file: "a.go",
		src: imports("trace", module+"/pmtu"), findAll: []string{"trace must not import pmtu"}},
	{rule: "floors", name: "nor the other way", path: "pmtu", file: "a_test.go",
		src: imports("pmtu", module+"/trace"), findAll: []string{"pmtu must not import trace"}},
	{rule: "floors", name: "probetest is for tests", path: "trace", file: "a.go",
		src: imports("trace", module+"/probe/probetest"), findAll: []string{"trace must not import probe/probetest"}},
	{rule: "floors", name: "and tests may use it", path: "trace", file: "a_test.go",
		src: imports("trace_test", module+"/probe/probetest", module+"/trace")},
	{rule: "floors", name: "the command does without the lab", path: "cmd/icmpx", file: "a.go",
		src: imports("main", module+"/integration/lab"), findAll: []string{"cmd/icmpx must not import integration/lab"}},
	{rule: "floors", name: "so do its tests", path: "cmd/icmpx", file: "a_test.go",
		src: imports("main", module+"/integration/lab"), findAll: []string{"cmd/icmpx must not import integration/lab"}},
	{rule: "floors", name: "so do its parts", path: "cmd/icmpx/internal/render", file: "a.go",
		src: imports("render", module+"/integration/lab"), findAll: []string{"cmd/icmpx/internal/render must not import integration/lab"}},
	{rule: "floors", name: "the lab command has it", path: "cmd/icmpx-lab", file: "a.go",
		src: imports("main", module+"/integration/lab")},
	{rule: "floors", name: "the lab knows no engine", path: "integration/lab", file: "a.go",
		src: imports("lab", module+"/icmpx", module+"/probe"), findAll: []string{"integration/lab must not import probe"}},
	{rule: "floors", name: "nor do its parts", path: "integration/lab/router", file: "a.go",
		src: imports("router", module+"/probe"), findAll: []string{"integration/lab/router must not import probe"}},
	{rule: "floors", name: "its own tests may have help", path: "integration/lab", file: "a_test.go",
		src: imports("lab_test", module+"/integration/lab", module+"/integration/labtest")},
	{rule: "floors", name: "integration may all", path: "integration", file: "a_test.go",
		src: imports("integration", module+"/integration/lab", module+"/trace")},
	{rule: "floors", name: "integration is above", path: "probe", file: "a_test.go",
		src: imports("probe", module+"/integration"), findAll: []string{"probe must not import integration"}},
	{rule: "floors", name: "unknown package", path: "common", file: "a.go",
		src: "package common", findAll: []string{"stands on no floor"}},

	{rule: "owners", name: "kernel numbers", path: "probe", file: "a.go",
		src: imports("probe", "golang.org/x/sys/unix", "unsafe"), findAll: []string{"golang.org/x/sys/unix", "unsafe"}},
	{rule: "owners", name: "kernel numbers in a test", path: "cmd/icmpx", file: "a_test.go",
		src: imports("main", "golang.org/x/sys/unix"), findAll: []string{"golang.org/x/sys/unix"}},
	{rule: "owners", name: "sockets have them", path: "icmpx", file: "a_linux.go",
		src: imports("icmpx", "golang.org/x/sys/unix", "unsafe")},
	{rule: "owners", name: "flags", path: "probe", file: "a.go",
		src: imports("probe", "github.com/urfave/cli/v2"), findAll: []string{"github.com/urfave/cli/v2"}},
	{rule: "owners", name: "netlink", path: "cmd/icmpx", file: "a.go",
		src: imports("main", "github.com/vishvananda/netlink"), findAll: []string{"github.com/vishvananda/netlink"}},
	{rule: "owners", name: "cgo", path: "icmpx", file: "a.go",
		src: imports("icmpx", "C"), findAll: []string{"must not import C"}},

	{rule: "linked", name: "lab by a detour", path: "cmd/icmpx", file: "a.go", src: "package main",
		deps: []string{"os", module + "/integration/lab"}, findAll: []string{"integration/lab"}},
	{rule: "linked", name: "flags in the library", path: "probe", file: "a.go", src: "package probe",
		deps: []string{"github.com/urfave/cli/v2"}, findAll: []string{"urfave"}},
	{rule: "linked", name: "tests in a command", path: "cmd/icmpx-lab", file: "a.go", src: "package main",
		deps: []string{"testing", "github.com/gopacket/gopacket/pcapgo"}, findAll: []string{"testing", "pcapgo"}},
	{rule: "linked", name: "flags in the command", path: "cmd/icmpx", file: "a.go", src: "package main",
		deps: []string{"github.com/urfave/cli/v2", module + "/probe"}},

	{rule: "kernel", name: "calls", path: "probe", file: "a.go",
		src:     `package probe; import "syscall"; var _, _, _ = syscall.Syscall(0, 0, 0, 0); var _ = syscall.EPOLLIN`,
		findAll: []string{"syscall.Syscall", "syscall.EPOLLIN"}},
	{rule: "kernel", name: "calls by another name", path: "cmd/icmpx", file: "a_test.go",
		src:     `package main; import sys "syscall"; var _ = sys.Kill(1, sys.SIGTERM)`,
		findAll: []string{"syscall.Kill"}},
	{rule: "kernel", name: "errors and signals", path: "probe", file: "a.go",
		src: `package probe; import "syscall"; var _ syscall.Errno = syscall.EPERM; var _ syscall.Signal = syscall.SIGINT`},
	{rule: "kernel", name: "sockets may", path: "icmpx", file: "a.go",
		src: `package icmpx; import "syscall"; var _ = syscall.Kill(1, 0)`},

	{rule: "process", name: "streams and exit", path: "probe", file: "a.go",
		src:     `package probe; import ("os"; "fmt"); func f() { os.Exit(1); println(os.Args) }; var w = os.Stdout; var _ = fmt.Println`,
		findAll: []string{"os.Exit", "os.Args", "os.Stdout", "fmt.Println", "println"}},
	{rule: "process", name: "parts of the command", path: "cmd/icmpx/internal/render", file: "a.go",
		src: `package render; import "os"; var w = os.Stderr`, findAll: []string{"os.Stderr"}},
	{rule: "process", name: "logging", path: "trace", file: "a.go",
		src: `package trace; import "log"; func f() { log.Printf("x") }`, findAll: []string{"log.Printf"}},
	{rule: "process", name: "main", path: "cmd/icmpx", file: "a.go",
		src: `package main; import "os"; func main() { os.Exit(1) }`},
	{rule: "process", name: "tests", path: "probe", file: "a_test.go",
		src: `package probe; import "os"; func f() { os.Exit(1) }`},
	{rule: "process", name: "the rest of os", path: "icmpx", file: "a.go",
		src: `package icmpx; import "os"; var f = os.NewFile(0, ""); var _ = f.Exit`},

	{rule: "plain imports", name: "dot", path: "probe", file: "a.go",
		src: `package probe; import . "fmt"`, findAll: []string{"dot import"}},
	{rule: "plain imports", name: "named", path: "probe", file: "a.go", src: `package probe; import f "fmt"`},

	{rule: "no init", name: "function", path: "cmd/icmpx", file: "a.go",
		src: `package main; func init() {}`, findAll: []string{"init"}},
	{rule: "no init", name: "method", path: "probe", file: "a.go", src: `package probe; func (engine) init() {}`},

	{rule: "documented", name: "nothing is", path: "probe", file: "a.go",
		src: "package probe\ntype A struct{}\nfunc (*A) B() {}\nfunc C() {}\nconst D = 1\nvar e, F = 1, 2\ntype g struct{}\nfunc (g) H() {}\n" +
			"// Group of types.\ntype (\nI int\n)\ntype J[K any] struct{}\nfunc (J[K]) L() {}\n",
		findAll: []string{"A has", "B has", "C has", "D has", "F has", "I has", "J has", "L has", "no package comment"}},
	{rule: "documented", name: "all is", path: "probe", file: "a.go",
		src: "// Package probe.\npackage probe\n// A is.\ntype A struct{}\n// B does.\nfunc (*A) B() {}\n// Group.\nconst (\nC = 1\nD = 2\n)\n" +
			"var (\nE = 1 // E is.\n// F is.\nF = 2\n)\n// I is.\ntype I int\n"},
	{rule: "documented", name: "commands have no API", path: "cmd/icmpx", file: "a.go",
		src: "// Command icmpx.\npackage main\nfunc A() {}\n"},

	{rule: "file length", name: "too long", path: "probe", file: "a.go",
		src: "package probe\n" + strings.Repeat("\n", maxFileLines), findAll: []string{"401 lines"}},
	{rule: "file length", name: "test too long", path: "probe", file: "a_test.go",
		src: "package probe\n" + strings.Repeat("\n", maxTestFileLines), findAll: []string{"601 lines"}},
	{rule: "file length", name: "just right", path: "probe", file: "a.go",
		src: "package probe\n" + strings.Repeat("\n", maxFileLines-1)},
	{rule: "file length", name: "generated", path: "probe", file: "a.go",
		src: "// Code generated by hand. DO NOT EDIT.\n\npackage probe\n" + strings.Repeat("\n", maxFileLines)},

	{rule: "function length", name: "too long", path: "probe", file: "a.go",
		src: function("func f() {", "g()", maxFunctionLines-1) + "}\n", findAll: []string{"61 lines"}},
	{rule: "function length", name: "just right", path: "probe", file: "a.go",
		src: function("func f() {", "g()", maxFunctionLines-2) + "}\n"},
	{rule: "function length", name: "table", path: "probe", file: "a.go",
		src: function("func f() {\nx := []int{", "1,", 100) + "}\n}\n"},
	{rule: "function length", name: "raw string", path: "probe", file: "a.go",
		src: function("func f() {\nx := `", "text", 100) + "`\n}\n"},
	{rule: "function length", name: "function in a table", path: "probe", file: "a.go",
		src: function("func f() {\nx := []func(){func() {", "g()", 100) + "},\n}\n}\n", findAll: []string{"lines"}},
	{rule: "function length", name: "flat switch", path: "probe", file: "a.go",
		src: function("func f(n int) {\nswitch n {", "case 1:\ng()", 100) + "}\n}\n"},
	{rule: "function length", name: "deep switch", path: "probe", file: "a.go",
		src: function("func f(n int) {\nswitch n {", "case 1:\ng()\ng()\ng()", 20) + "}\n}\n", findAll: []string{"lines"}},
}

// imports returns a source file that imports paths.
func imports(name string, paths ...string) string {
	return "package " + name + `; import ("` + strings.Join(paths, `"; "`) + `")`
}

// function returns a source file whose function repeats a line and is left
// open.
func function(head, line string, n int) string {
	return "package probe\n" + head + "\n" + strings.Repeat(line+"\n", n)
}

func TestRulesFindBreaches(t *testing.T) {
	shown := map[string]bool{}
	for _, b := range breaches {
		t.Run(b.rule+"/"+b.name, func(t *testing.T) {
			f, err := parseFile(b.path+"/"+b.file, []byte(b.src))
			if err != nil {
				t.Fatal(err)
			}
			p := &pkg{path: b.path, name: f.ast.Name.Name, deps: b.deps, files: []*file{f}}
			var got []string
			for _, r := range rules {
				if r.name == b.rule {
					for _, found := range r.check(p) {
						got = append(got, found.text)
					}
				}
			}
			shown[b.rule] = shown[b.rule] || len(got) > 0
			if len(got) != len(b.findAll) {
				t.Fatalf("found %q, want %q", got, b.findAll)
			}
			for _, want := range b.findAll {
				if !strings.Contains(strings.Join(got, "\n"), want) {
					t.Errorf("found %q, want %q", got, want)
				}
			}
		})
	}
	for _, r := range rules {
		if !shown[r.name] {
			t.Errorf("no breach shows that rule %q can fail", r.name)
		}
	}
}
