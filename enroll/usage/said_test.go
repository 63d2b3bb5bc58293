package usage

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// said is a command line as people are told to type it, with what it is followed by.
var said = regexp.MustCompile(`\benroll ([a-z-][A-Za-z0-9 .=_-]*)`)

// What people are told to type, by a message or a page, is what the command line takes.
func TestOptionsThatPeopleAreToldToTypeAreTaken(t *testing.T) {
	seen := 0
	for _, top := range []string{"../../enroll", "../../pam", "../../packaging", "../../README.md"} {
		testroot.Must(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, text := range texts(t, path) {
				for _, m := range said.FindAllStringSubmatch(text, -1) {
					seen += taken(t, path, m[1])
				}
			}
			return nil
		}))
	}
	if seen < 100 {
		t.Errorf("got only %d options to look at", seen)
	}
}

// taken checks the options of a command line, and returns how many there are.
func taken(t *testing.T, path, line string) (n int) {
	t.Helper()
	words := strings.Fields(line)
	c, _ := Find("")
	for i := range min(2, len(words)) {
		if longer, ok := Find(strings.Join(words[:i+1], " ")); ok {
			c = longer
		}
	}
	for _, w := range words {
		name, isOption := strings.CutPrefix(strings.TrimRight(w, "."), "--")
		name, _, _ = strings.Cut(name, "=")
		if !isOption || name == "" || name == "help" {
			continue
		}
		if n++; !c.Has(name) {
			t.Errorf("%s: enroll %s: %q does not take --%s", path, line, c.Name, name)
		}
	}
	return n
}

// texts are a program's literals, those that are added up joined, or the whole of a page.
func texts(t *testing.T, path string) (all []string) {
	t.Helper()
	switch filepath.Ext(path) {
	case ".md":
		text, err := os.ReadFile(path)
		testroot.Must(t, err)
		return []string{strings.NewReplacer("**", "", "*", "").Replace(string(text))}
	case ".go":
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		testroot.Must(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, literal := joined(e)
			if literal {
				all = append(all, text)
			}
			return !literal
		})
	}
	return all
}

// joined is the text of literals that are added up; what is no literal is a word.
func joined(e ast.Expr) (text string, literal bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ = strconv.Unquote(e.Value)
			return text, true
		}
	case *ast.BinaryExpr:
		a, isA := joined(e.X)
		b, isB := joined(e.Y)
		if e.Op == token.ADD && (isA || isB) {
			return a + b, true
		}
	}
	return "X", false
}
