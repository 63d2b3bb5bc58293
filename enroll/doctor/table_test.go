package doctor

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/crypto/ssh"

	"latchkey/enroll/doctor/getent"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// TestTable examines a machine for each file in testdata/table: distributions' own
// configurations, those of public guides, and planted mistakes. The comment in each says what is
// expected; what is not expected must not be found (FAULTS 10, 43).
//
// sshd is a real one, in a folder that is a system of its own. Where this machine has none the
// suite in ./sshd runs this test in its containers, with the sshd of each distribution.
func TestTable(t *testing.T) {
	cases, err := filepath.Glob("testdata/table/*.txtar")
	testroot.Must(t, err)
	if len(cases) < leastCases {
		t.Errorf("%d cases, not at least %d", len(cases), leastCases)
	}
	bare := template(t)
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := readCase(t, file)
			if bare == "" && c.base != "bare" {
				t.Skip("there is no sshd here, or no root: ./sshd runs this in its containers")
			}
			root := c.lay(t, bare)
			if got := examined(doctorIn(root).Run()); !agree(got, c.wanted) {
				t.Errorf("%s\ngot:\n\t%s\nwant:\n\t%s", c.says, strings.Join(got, "\n\t"),
					strings.Join(c.wanted, "\n\t"))
			}
		})
	}
}

const leastCases = 400

// tableCase is one file of the table.
type tableCase struct {
	says   string
	base   string
	remove []string
	modes  map[string]os.FileMode
	wanted []string // as examined gives them, in order
	files  []txtar.File
}

var directive = regexp.MustCompile(`(?m)^(base|remove|chmod|error|warning): (.*)$`)

func readCase(t *testing.T, file string) *tableCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	testroot.Must(t, err)
	c := &tableCase{base: "debian", modes: map[string]os.FileMode{}, files: archive.Files}
	c.says = strings.TrimSpace(directive.ReplaceAllString(string(archive.Comment), ""))
	for _, d := range directive.FindAllStringSubmatch(string(archive.Comment), -1) {
		switch d[1] {
		case "base":
			c.base = d[2]
		case "remove":
			c.remove = append(c.remove, d[2])
		case "chmod":
			mode, path, _ := strings.Cut(d[2], " ")
			bits, err := strconv.ParseUint(mode, 8, 32)
			testroot.Must(t, err)
			c.modes[path] = os.FileMode(bits)
		default:
			c.wanted = append(c.wanted, d[0])
		}
	}
	slices.Sort(c.wanted)
	return c
}

// lay makes the machine: the template, the installed program, the base's files, the case's.
func (c *tableCase) lay(t *testing.T, template string) string {
	t.Helper()
	root := t.TempDir()
	if c.base != "bare" {
		testroot.Must(t, os.RemoveAll(root))
		out, err := exec.Command("cp", "-al", template, root).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	laid(t, root)
	if c.base != "bare" {
		base, err := txtar.ParseFile("testdata/base/" + c.base + ".txtar")
		testroot.Must(t, err)
		layFiles(t, root, base.Files)
	}
	layFiles(t, root, c.files)
	for _, path := range c.remove {
		testroot.Must(t, os.RemoveAll(root+path))
	}
	for path, mode := range c.modes {
		testroot.Must(t, os.Chmod(root+path, mode))
	}
	return root
}

func layFiles(t *testing.T, root string, files []txtar.File) {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(root, f.Name)
		testroot.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		// it may be a hard link
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		testroot.Must(t, os.WriteFile(path, f.Data, 0o644))
	}
}

// examined are the complaints among findings, as a case writes them.
func examined(found []Finding) []string {
	var all []string
	for _, f := range found {
		if f.Status != OK && f.Check != clockCheck {
			all = append(all, fmt.Sprintf("%s: %s: %s", f.Status, f.Check, f.Detail))
		}
	}
	slices.Sort(all)
	return all
}

// agree reports whether each finding is wanted and each wanted one is there. A wanted one says
// the check, and a part of the detail.
func agree(got, wanted []string) bool {
	left := slices.Clone(wanted)
	for _, g := range got {
		at := slices.IndexFunc(left, func(w string) bool {
			want, have := strings.SplitN(w, ": ", 3), strings.SplitN(g, ": ", 3)
			return len(want) == 3 && slices.Equal(want[:2], have[:2]) &&
				strings.Contains(have[2], want[2])
		})
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return len(left) == 0
}

// doctorIn examines a system of its own: its sshd runs with that root.
func doctorIn(root string) Doctor {
	d := doctorFor(root, "sshd")
	d.LookUp = func(name string) (record.User, error) {
		if u, ok := getent.Read(root, nil).User(name); ok {
			return record.User{Name: name, UID: u.UID}, nil
		}
		return record.User{}, fmt.Errorf("no such user")
	}
	d.Bound = 5 * time.Minute // the machine that runs tests may be busy
	d.SSHD = func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "/bin/true")
		cmd.Path, cmd.Args, cmd.Err = sshdProgram, append([]string{sshdProgram}, args...), nil
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: root}
		return cmd
	}
	return d
}

// template is a folder with a real sshd and what it needs to run there; "" if there is none.
func template(t *testing.T) string {
	t.Helper()
	program := sshdProgram // another one, unpacked somewhere, serves as well
	if other := os.Getenv("LATCHKEY_TEST_SSHD"); other != "" {
		program = other
	}
	if _, err := os.Stat(program); err != nil || os.Geteuid() != 0 {
		return ""
	}
	root := t.TempDir() + "/template"
	for _, dir := range []string{"/usr/sbin", "/etc/ssh", "/run/sshd", "/dev"} {
		testroot.Must(t, os.MkdirAll(root+dir, 0o755))
	}
	put(t, root, "/dev/null", "", 0o666)
	copyFile(t, program, root+sshdProgram)
	libraries, err := exec.Command("ldd", program).Output()
	testroot.Must(t, err)
	for _, path := range regexp.MustCompile(`/\S+\.so\S*`).FindAllString(string(libraries), -1) {
		to := path
		if strings.HasPrefix(path, "/tmp/") {
			to = "/lib/" + filepath.Base(path)
		}
		copyFile(t, path, root+to)
	}
	_, key, err := ed25519.GenerateKey(nil)
	testroot.Must(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	testroot.Must(t, err)
	put(t, root, "/etc/ssh/ssh_host_ed25519_key", string(pem.EncodeToMemory(block)), 0o600)
	return root
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	testroot.Must(t, err)
	testroot.Must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	testroot.Executable(t, to, data)
	testroot.Must(t, os.Chmod(to, 0o755))
}

// laid is what make install lays down.
func laid(t *testing.T, root string) {
	t.Helper()
	testroot.Root(root).Fill(t)
	testroot.Root(root).Policy(t, "")
	for _, dir := range private {
		chmod(t, root+dir, 0o700)
	}
	for _, name := range []string{"pam_deny.so", "pam_latchkey.so"} {
		put(t, root, "/usr/lib/x86_64-linux-gnu/security/"+name, "", 0o644)
	}
	for _, path := range programs {
		put(t, root, path, "", 0o755)
	}
	put(t, root, "/usr/bin/enroll", "", 0o755|os.ModeSetuid)
	put(t, root, "/etc/pam.d/enroll", "auth required pam_unix.so\n"+
		"account required pam_unix.so\n", 0o644)
}
