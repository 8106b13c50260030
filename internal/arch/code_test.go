package arch

import (
	"fmt"
	"go/ast"
	"go/token"
)

// processNames are the parts of the process that belong to its main function.
var processNames = map[string][]string{
	"os":  {"Exit", "Stdin", "Stdout", "Stderr", "Args", "Getenv", "LookupEnv", "Environ"},
	"fmt": {"Print", "Printf", "Println"},
	"log": {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"},
}

// checkProcess leaves standard streams, arguments, environment and exit to
// package main. Tests, with the package that finds their captures, and the lab,
// which executes itself anew, stand aside.
func checkProcess(p *pkg) []finding {
	if p.name == "main" || matches(p.path, "integration/...", "internal/vectortest") {
		return nil
	}
	var found []finding
	for _, f := range p.files {
		if f.test {
			continue
		}
		for path, names := range processNames {
			f.selectors(path, func(sel *ast.SelectorExpr) {
				if matches(sel.Sel.Name, names...) {
					found = append(found, f.find(sel, "%s.%s belongs to package main", path, sel.Sel.Name))
				}
			})
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
					found = append(found, f.find(call, "%s writes to standard error", id.Name))
				}
			}
			return true
		})
	}
	return found
}

// checkNoInit refuses init functions: what happens is called by name.
func checkNoInit(p *pkg) []finding {
	var found []finding
	for _, f := range p.files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				found = append(found, f.find(fn, "init function"))
			}
		}
	}
	return found
}

// checkDocumented wants a doc comment on the package and on every exported
// symbol that another package can name.
func checkDocumented(p *pkg) []finding {
	var found []finding
	packageDoc := false
	sources := 0
	for _, f := range p.files {
		if f.test {
			continue
		}
		sources++
		packageDoc = packageDoc || f.ast.Doc.Text() != ""
		if p.name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, id := range undocumented(d) {
				found = append(found, f.find(id, "%s has no doc comment", id.Name))
			}
		}
	}
	if !packageDoc && sources > 0 {
		found = append(found, finding{key: p.path, text: "no package comment"})
	}
	return found
}

// undocumented returns the exported names that a declaration leaves without a
// comment. A group of constants or of variables may share one.
func undocumented(d ast.Decl) []*ast.Ident {
	var names []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc.Text() == "" && d.Name.IsExported() && exportedReceiver(d) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		if d.Doc.Text() != "" && (d.Tok != token.TYPE || !d.Lparen.IsValid()) {
			return nil
		}
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Doc.Text() == "" && s.Name.IsExported() {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				if s.Doc.Text() == "" && s.Comment.Text() == "" {
					for _, id := range s.Names {
						if id.IsExported() {
							names = append(names, id)
						}
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether a function has no receiver or one of an
// exported type.
func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	typ := fn.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// The most lines that a file and a function may have. A file that needs more
// holds more than one idea; tests of one idea may take more room.
const (
	maxFileLines     = 400
	maxTestFileLines = 600
	maxFunctionLines = 60
)

func checkFileLength(p *pkg) []finding {
	var found []finding
	for _, f := range p.files {
		most := maxFileLines
		if f.test {
			most = maxTestFileLines
		}
		if f.lines > most && !ast.IsGenerated(f.ast) {
			found = append(found, f.find(f.ast, "%d lines; at most %d", f.lines, most))
		}
	}
	return found
}

// checkFunctionLength measures named functions and function literals. A
// composite literal, a raw string and a flat switch count as one line each,
// however long the table is.
func checkFunctionLength(p *pkg) []finding {
	var found []finding
	for _, f := range p.files {
		name := ""
		ast.Inspect(f.ast, func(n ast.Node) bool {
			var body *ast.BlockStmt
			switch n := n.(type) {
			case *ast.FuncDecl:
				name, body = n.Name.Name, n.Body
			case *ast.FuncLit:
				body = n.Body
			}
			if body == nil {
				return true
			}
			if lines := f.span(n) - f.tableLines(body); lines > maxFunctionLines && !ast.IsGenerated(f.ast) {
				found = append(found, finding{
					key: f.name + " " + name, line: f.fset.Position(n.Pos()).Line,
					text: fmt.Sprintf("%d lines; at most %d", lines, maxFunctionLines),
				})
			}
			return true
		})
	}
	return found
}

// span returns the number of lines that a node stands on.
func (f *file) span(n ast.Node) int {
	return f.fset.Position(n.End()).Line - f.fset.Position(n.Pos()).Line + 1
}

// tableLines returns the lines below a node that are only rows of tables.
func (f *file) tableLines(n ast.Node) int {
	lines := 0
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit, *ast.BasicLit:
			lines += f.span(n) - 1
			return false
		case *ast.SwitchStmt:
			if f.flat(n.Body) {
				lines += f.span(n) - 1
				return false
			}
		case *ast.TypeSwitchStmt:
			if f.flat(n.Body) {
				lines += f.span(n) - 1
				return false
			}
		}
		return true
	})
	return lines
}

// flat reports whether each case of a switch is at most two lines long.
func (f *file) flat(body *ast.BlockStmt) bool {
	for _, s := range body.List {
		c, ok := s.(*ast.CaseClause)
		if !ok || len(c.Body) == 0 {
			continue
		}
		first, last := f.fset.Position(c.Body[0].Pos()).Line, f.fset.Position(c.Body[len(c.Body)-1].End()).Line
		if last-first > 1 {
			return false
		}
	}
	return true
}
