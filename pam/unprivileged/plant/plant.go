// Package plant builds programs that reach the network with an attacker's code in them, for tests of
// what such a program can do once it is taken over. Only tests import it.
package plant

import (
	_ "embed"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

//go:embed testdata/planted.go
var planted string

// What planted(server) says that it could do: in a program that is confined to its server, and in
// one that is not.
const (
	Confined   = "hosts server interfaces"
	Unconfined = Confined + " read list make change remove start connect multipath listen unix"
)

// Change replaces a text of main.go, which must be there once.
type Change struct{ From, To string }

// Program builds the program in the working folder with planted and changes, and returns its file.
func Program(t testing.TB, changes ...Change) (file string) {
	t.Helper()
	dir, replaced := t.TempDir(), map[string]string{}
	here, err := os.Getwd()
	must(t, err)
	put := func(name, text string) {
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, []byte(text), 0o644))
		replaced[filepath.Join(here, name)] = file
	}
	put("planted.go", strings.NewReplacer("FOLDER", folder(t), "OTHER", other(t)).
		Replace(planted))
	text, err := os.ReadFile("main.go")
	must(t, err)
	main := string(text)
	for _, c := range changes {
		if strings.Count(main, c.From) != 1 {
			t.Fatalf("main.go has %q not once", c.From)
		}
		main = strings.Replace(main, c.From, c.To, 1)
	}
	put("main.go", main)
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "overlay"), overlay, 0o644))
	file = filepath.Join(Open(t), "program")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay"), "-o", file, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Open is a folder that anyone may write to.
func Open(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		must(t, os.Chmod(d, 0o777))
	}
	return dir
}

// folder is one with a file and a socket in it.
func folder(t testing.TB) string {
	t.Helper()
	dir := Open(t)
	must(t, os.WriteFile(filepath.Join(dir, "there"), nil, 0o666))
	must(t, os.Chmod(filepath.Join(dir, "there"), 0o666))
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	must(t, err)
	t.Cleanup(func() { l.Close() })
	must(t, os.Chmod(filepath.Join(dir, "socket"), 0o666))
	return dir
}

// other is the address of a server that is none of the program's.
func other(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// NeedLandlock skips a test where the kernel's Landlock does not know ports.
func NeedLandlock(t testing.TB) {
	t.Helper()
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0,
		unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < 4 {
		t.Skipf("this kernel's Landlock has version %d (%v), and knows ports from 4 on",
			int(version), errno)
	}
}
