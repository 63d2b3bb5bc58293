package verdict_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"latchkey/pam/flow/verdict"
)

// The return values of Linux-PAM.
const (
	success     = 0
	systemErr   = 4
	authErr     = 7
	unavailable = 9
	unknownUser = 10
	maxTries    = 11
	convErr     = 19
)

// table is every reason, with what PAM is told if the outcome allows and if it denies.
var table = map[verdict.Reason]struct{ allow, deny int }{
	"ok":           {success, systemErr},
	"unenrolled":   {success, maxTries},
	"exempt":       {success, systemErr},
	"wrong":        {systemErr, maxTries},
	"replayed":     {systemErr, maxTries},
	"expired":      {systemErr, maxTries},
	"locked":       {systemErr, maxTries},
	"forbidden":    {systemErr, maxTries},
	"conversation": {systemErr, convErr},
	"name":         {systemErr, unknownUser},
	"record":       {systemErr, unavailable},
	"state":        {systemErr, unavailable},
	"config":       {systemErr, unavailable},
	"argument":     {systemErr, unavailable},
	"service":      {systemErr, unavailable},
	"fleet":        {systemErr, unavailable},
	"offline":      {success, systemErr},
	"internal":     {systemErr, systemErr},
	"enroll":       {systemErr, systemErr},
	"split":        {systemErr, systemErr},
	"publickey":    {systemErr, authErr},
}

// reasons are the constants of type Reason that the package declares.
func reasons(t *testing.T) (list []verdict.Reason) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "verdict.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Reason" {
			word, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, verdict.Reason(word))
		}
		return true
	})
	return list
}

func TestEveryReasonHasItsPAMCode(t *testing.T) {
	list := reasons(t)
	if len(list) != len(table) {
		t.Errorf("the package has %d reasons, the table %d", len(list), len(table))
	}
	for _, reason := range list {
		want, ok := table[reason]
		if !ok {
			t.Errorf("the table does not have %q", reason)
			continue
		}
		if got := (verdict.Outcome{Allow: true, Reason: reason}).PAM(); got != want.allow {
			t.Errorf("allow %s: %d, not %d", reason, got, want.allow)
		}
		if got := (verdict.Outcome{Reason: reason}).PAM(); got != want.deny {
			t.Errorf("deny %s: %d, not %d", reason, got, want.deny)
		}
	}
}

func TestWhatIsInNoTableIsDenied(t *testing.T) {
	for name, o := range map[string]verdict.Outcome{
		"the zero outcome":                    {},
		"an allowance without a reason":       {Allow: true},
		"an allowance of an unknown reason":   {Allow: true, Reason: "why not"},
		"an allowance of a reason in capital": {Allow: true, Reason: "OK"},
		"a denial of an unknown reason":       {Reason: "why not"},
		"a method and a device alone":         {Method: "totp", Device: "phone", Tries: 1},
		"an unlogged outcome":                 {Unlogged: true},
	} {
		if got := o.PAM(); got != systemErr {
			t.Errorf("%s: %d", name, got)
		}
	}
}
