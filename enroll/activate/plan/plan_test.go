package plan

import (
	"bytes"
	"errors"
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

// FAULTS 10: PAM's keywords may be in capitals.
func TestKeywordsInCapitalsMeanTheSame(t *testing.T) {
	for _, line := range []string{"auth required pam_unix.so", "AUTH REQUIRED pam_unix.so",
		"auth Required pam_unix.so"} {
		root := lay(t, txtar.Parse([]byte("-- etc/pam.d/sshd --\n"+line+"\n"+
			"account required pam_unix.so\n-- etc/ssh/sshd_config --\nUsePAM yes\n")))
		p, err := Make(root, Wish{Stack: PasswordAndCode, SSHD: "sshd"})
		if err != nil || !strings.Contains(strings.ToLower(p.Changes[0].After),
			"auth\trequisite\tpam_unix.so\nauth\trequired\tpam_latchkey.so\n") {
			t.Errorf("%s: got %+v, %v", line, p.Changes, err)
		}
	}
}

// authselect has links to files of its own in /etc/pam.d, and a line may include a file by its
// path.
func TestIncludedFilesMayBeLinksAndAnywhere(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/fedora-faillock.txtar")
	testroot.Must(t, err)
	want, err := Make(lay(t, archive), Wish{Stack: PasswordAndCode, SSHD: "sshd"})
	testroot.Must(t, err)
	for name, become := range map[string]func(etc string) error{
		"links": func(etc string) error {
			return errors.Join(os.Rename(etc+"pam.d/password-auth", etc+"authselect"),
				os.Symlink("../authselect", etc+"pam.d/password-auth"))
		},
		"paths": func(etc string) error {
			text, err := os.ReadFile(etc + "pam.d/sshd")
			text = bytes.ReplaceAll(text, []byte("password-auth"), []byte("/etc/authselect"))
			return errors.Join(err, os.WriteFile(etc+"pam.d/sshd", text, 0o644),
				os.Rename(etc+"pam.d/password-auth", etc+"authselect"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := lay(t, archive)
			testroot.Must(t, become(root+"/etc/"))
			got, err := Make(root, Wish{Stack: PasswordAndCode, SSHD: "sshd"})
			if err != nil || added(got) != added(want) {
				t.Errorf("got %v\n%s\nwant\n%s", err, added(got), added(want))
			}
		})
	}
}

// What an Include line names before the folder of the drop-in may set anything, and so may a file
// of that folder whose name comes first.
func TestOptionsStandBeforeAllThatMaySetThem(t *testing.T) {
	const folder = "/etc/ssh/sshd_config.d/*.conf"
	for _, c := range []struct{ include, file, want string }{
		{folder, "/etc/ssh/other.conf", dropIn},
		{"'" + folder + "'", "/etc/ssh/other.conf", dropIn},
		{folder + " /etc/ssh/other.conf", "/etc/ssh/other.conf", dropIn},
		{"/etc/ssh/other.conf " + folder, "/etc/ssh/other.conf", sshdConfig},
		{"/etc/ssh/other.conf\nInclude " + folder, "/etc/ssh/other.conf", sshdConfig},
		{folder, "/etc/ssh/sshd_config.d/00-a.conf", sshdConfig},
		{folder, "/etc/ssh/sshd_config.d/.00-a.conf", dropIn},
		{folder, "/etc/ssh/sshd_config.d/00-a", dropIn},
		{"/etc/ssh/sshd_config.d/*", "/etc/ssh/sshd_config.d/00-a", sshdConfig},
		{"/etc/ssh/*.d/*.conf", "/etc/ssh/a.d/z.conf", sshdConfig},
		{folder, "/etc/ssh/sshd_config.d/z.conf", dropIn},
	} {
		root := lay(t, txtar.Parse([]byte("-- etc/pam.d/sshd --\nauth required pam_unix.so\n"+
			"account required pam_unix.so\n-- etc/ssh/sshd_config --\nInclude "+c.include+"\n"+
			"-- etc/ssh/sshd_config.d/50.conf --\n-- "+c.file[1:]+" --\nUsePAM no\n")))
		p, err := Make(root, Wish{Stack: PasswordAndCode, SSHD: "sshd"})
		testroot.Must(t, err)
		if got := p.Changes[len(p.Changes)-1].Path; got != c.want {
			t.Errorf("Include %s, and options in %s: got %s, want %s", c.include, c.file, got,
				c.want)
		}
	}
}

// added are the lines that a plan adds.
func added(p Plan) string {
	var lines []string
	for _, c := range p.Changes {
		for line := range strings.Lines(c.Diff()) {
			if strings.HasPrefix(line, "+") {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "")
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
