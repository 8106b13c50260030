package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/icmpx/icmpx"

// root is the top of the repository, seen from this package's folder.
const root = "../.."

// A pkg is what the rules see of one package.
type pkg struct {
	path  string   // import path below the module
	name  string   // in its package clause
	deps  []string // import paths of all that is linked with it
	files []*file
}

// A file is one Go source file, whatever system or build tag it is for.
type file struct {
	name  string // path below the repository
	test  bool
	lines int
	fset  *token.FileSet
	ast   *ast.File
}

// loadPackages returns every package of the module.
func loadPackages(t *testing.T) []*pkg {
	t.Helper()
	var pkgs []*pkg
	dec := json.NewDecoder(bytes.NewReader(goList(t)))
	for {
		var p struct {
			ImportPath, Name, Dir                                                        string
			GoFiles, CgoFiles, IgnoredGoFiles, InvalidGoFiles, TestGoFiles, XTestGoFiles []string
			Deps                                                                         []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		out := &pkg{path: below(p.ImportPath), name: p.Name, deps: p.Deps}
		for _, names := range [][]string{p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.InvalidGoFiles, p.TestGoFiles, p.XTestGoFiles} {
			for _, name := range names {
				out.files = append(out.files, loadFile(t, p.Dir, path.Join(out.path, name)))
			}
		}
		pkgs = append(pkgs, out)
	}
	return pkgs
}

// goList lists the packages as a Linux build without cgo sees them.
func goList(t *testing.T) []byte {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,IgnoredGoFiles,InvalidGoFiles,TestGoFiles,XTestGoFiles,Deps", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return out
}

func loadFile(t *testing.T, dir, name string) *file {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(dir, path.Base(name)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(name, src)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func parseFile(name string, src []byte) (*file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &file{
		name: name, test: strings.HasSuffix(name, "_test.go"),
		lines: bytes.Count(src, []byte("\n")), fset: fset, ast: tree,
	}, nil
}

// below returns an import path without the module's own; "." is the module.
func below(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// ours reports whether an import path is of this module.
func ours(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// matches reports whether a path is one of the patterns: a path, or "x/..."
// for x and all below it, or "..." for everything.
func matches(p string, patterns ...string) bool {
	for _, pattern := range patterns {
		base, tree := strings.CutSuffix(pattern, "...")
		base = strings.TrimSuffix(base, "/")
		if p == base || tree && (base == "" || strings.HasPrefix(p, base+"/")) {
			return true
		}
	}
	return false
}

// imports calls yield with each import path of f.
func (f *file) imports(yield func(spec *ast.ImportSpec, importPath string)) {
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			yield(spec, p)
		}
	}
}

// selectors calls yield for each use pkg.name of a name that an imported
// package exports.
func (f *file) selectors(importPath string, yield func(sel *ast.SelectorExpr)) {
	local := ""
	f.imports(func(spec *ast.ImportSpec, p string) {
		if p != importPath {
			return
		}
		local = path.Base(p)
		if spec.Name != nil {
			local = spec.Name.Name
		}
	})
	if local == "" {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == local {
				yield(sel)
			}
		}
		return true
	})
}

// A finding is one breach of a rule. The key names it without its line, for the
// table of exceptions.
type finding struct {
	key  string
	line int
	text string
}

func (f *file) find(n ast.Node, format string, args ...any) finding {
	return finding{key: f.name, line: f.fset.Position(n.Pos()).Line, text: fmt.Sprintf(format, args...)}
}
