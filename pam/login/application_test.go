//go:build cgo

package main_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"latchkey/pam/testroot"
)

// application builds the host program in testdata, once.
var application = sync.OnceValues(func() (string, error) {
	path := filepath.Join(home(), "host")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-rdynamic",
		"testdata/host.c", "-o", path, "-lpam").CombinedOutput()
	return path, errors.Join(err, nonempty(out))
})

// applied is a user's login through the built module in an application of its own, which keeps
// nothing.
type applied struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	said *bufio.Reader
}

// apply starts the application on a directory that module made, behind a prefix such as strace's.
func apply(t *testing.T, prefix []string, confdir, name string, options ...string) *applied {
	t.Helper()
	path, err := application()
	testroot.Must(t, err)
	line := append(prefix[:len(prefix):len(prefix)], path, confdir, "latchkey", name)
	line = append(line, options...)
	a := &applied{t: t, cmd: exec.Command(line[0], line[1:]...)}
	a.cmd.Env = []string{}
	a.in, err = a.cmd.StdinPipe()
	testroot.Must(t, err)
	out, err := a.cmd.StdoutPipe()
	testroot.Must(t, err)
	a.said = bufio.NewReader(out)
	testroot.Must(t, a.cmd.Start())
	t.Cleanup(func() {
		a.in.Close()
		io.Copy(io.Discard, a.said)
		a.cmd.Wait()
	})
	return a
}

// hears returns what the application says next.
func (a *applied) hears() string {
	a.t.Helper()
	text, err := a.said.ReadString(0)
	testroot.Must(a.t, err)
	return strings.TrimSuffix(text, "\x00")
}

// answers types something for the user.
func (a *applied) answers(text string) {
	a.t.Helper()
	_, err := io.WriteString(a.in, text)
	testroot.Must(a.t, err)
}

// ends checks the code that pam_authenticate returned.
func (a *applied) ends(want string) {
	a.t.Helper()
	if got := a.hears(); got != "code "+want {
		a.t.Fatalf("the application said %q, want code %s", got, want)
	}
}
