package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"latchkey/pam/testroot"
)

// TestEveryConfigurationIsPlannedAsItsDiffSays plans for the configurations of testdata, which are
// distributions' own and those of public guides: each file says where it is from, and how its
// diffs look.
func TestEveryConfigurationIsPlannedAsItsDiffSays(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	testroot.Must(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		archive, err := txtar.ParseFile(file)
		testroot.Must(t, err)
		for _, stack := range Stacks {
			t.Run(name+"/"+string(stack), func(t *testing.T) {
				got := planned(t, archive, stack)
				golden := "testdata/" + name + "." + string(stack) + ".diff"
				if os.Getenv("LATCHKEY_UPDATE") != "" {
					testroot.Must(t, os.WriteFile(golden, []byte(got), 0o644))
				}
				want, err := os.ReadFile(golden)
				testroot.Must(t, err)
				if got != string(want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// planned is the plan for a configuration: its diffs, or why there is none.
func planned(t *testing.T, a *txtar.Archive, s Stack) string {
	t.Helper()
	p, err := Make(lay(t, a), Wish{Stack: s, SSHD: "sshd", More: services(a)})
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, c := range p.Changes {
		b.WriteString(c.Diff())
	}
	return b.String()
}

func lay(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range a.Files {
		path := filepath.Join(root, f.Name)
		testroot.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		testroot.Must(t, os.WriteFile(path, f.Data, 0o644))
	}
	return root
}

// services are those beside sshd that a configuration has.
func services(a *txtar.Archive) (names []string) {
	for _, f := range a.Files {
		if name := filepath.Base(f.Name); slices.Contains(Services, name) &&
			strings.Contains(f.Name, "pam.d/") {
			names = append(names, name)
		}
	}
	return names
}
