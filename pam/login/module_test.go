//go:build cgo

package main_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// crowd is how many log in at once, and rounds how often they do.
const (
	rounds = 50
	crowd  = 50
)

// module builds pam_latchkey.so for the program of these tests and returns a directory of PAM
// services: "latchkey" and "enroll" have it.
func module(t *testing.T, flags ...string) (confdir string) {
	t.Helper()
	path, err := program()
	testroot.Must(t, err)
	confdir = t.TempDir()
	so := filepath.Join(confdir, "pam_latchkey.so")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	args, err := filepath.Glob("../gate/*.c")
	testroot.Must(t, err)
	names, err := filepath.Glob("../gate/names/*.c")
	testroot.Must(t, err)
	args = append(append(append(args, names...), flags...), "-std=gnu11", "-O2", "-fPIC",
		"-fvisibility=hidden", "-shared", `-DLATCHKEY_LOGIN="`+path+`"`,
		"-Wl,--version-script=../gate/exports.map", "-lpam", "-o", so)
	out, err := exec.Command(cc, args...).CombinedOutput()
	testroot.Must(t, errors.Join(err, nonempty(out)))
	service := "auth required " + so + "\n"
	for _, name := range []string{"latchkey", "enroll"} {
		testroot.Must(t, os.WriteFile(filepath.Join(confdir, name), []byte(service), 0o644))
	}
	return confdir
}

// me returns the user who runs the tests: the only one PAM is certain to know.
func me(t *testing.T) (name string, uid uint32) {
	t.Helper()
	u, err := user.Current()
	testroot.Must(t, err)
	n, err := strconv.ParseUint(u.Uid, 10, 32)
	testroot.Must(t, err)
	return u.Username, uint32(n)
}

// authenticate logs in once through PAM and answers every question with code.
func authenticate(confdir, name, code string) error {
	return authenticateBy("latchkey", confdir, name, code)
}

func authenticateBy(service, confdir, name, code string) error {
	answer := func(style pam.Style, text string) (string, error) {
		if style == pam.PromptEchoOn && strings.Contains(text, "code") {
			return code, nil
		}
		return "", nil
	}
	tx, err := pam.StartConfDir(service, name, pam.ConversationFunc(answer), confdir)
	if err != nil {
		return fmt.Errorf("pam_start: %w", err)
	}
	return errors.Join(tx.Authenticate(0), tx.End())
}

// reasons counts the lines of the log by their reason until the line "stop". It misses lines for
// which the logger had no room within a second.
func (h *host) reasons() map[string]int {
	count := map[string]int{}
	for line := h.line(); line != "stop"; line = h.line() {
		_, rest, _ := strings.Cut(line, " reason=")
		reason, _, _ := strings.Cut(rest, " ")
		count[reason]++
	}
	return count
}

func (h *host) stop() {
	conn, err := net.Dial("unixgram", h.root.Join("dev/log"))
	if err == nil {
		_, err = conn.Write([]byte("stop"))
		conn.Close()
	}
	if err != nil {
		h.t.Error(err)
	}
}

func TestOfFiftyParallelLoginsWithOneCodeOnTheBuiltModuleExactlyOneSucceeds(t *testing.T) {
	confdir := module(t)
	name, uid := me(t)
	h := newHost(t, "[limits]\ntries = 1\n")
	for round := range rounds {
		d := testroot.TOTP(fmt.Sprint("phone ", round))
		d.Period, d.Digits = 24*time.Hour, 8
		h.root.Enroll(t, name, uid, d)
		h.crowd(confdir, name, d)
	}
}

// crowd lets many log in at once with the code that d shows now.
func (h *host) crowd(confdir, name string, d record.Device) {
	h.t.Helper()
	code := testroot.Code(h.t, d, time.Now())
	var all sync.WaitGroup
	var succeeded atomic.Int64
	for range crowd {
		all.Go(func() {
			switch err := authenticate(confdir, name, code); {
			case err == nil:
				succeeded.Add(1)
			case !errors.Is(err, pam.ErrMaxtries):
				h.t.Errorf("%s: %v", d.Label, err)
			}
		})
	}
	go func() {
		all.Wait()
		h.stop()
	}()
	got := h.reasons()
	if succeeded.Load() != 1 || got["ok"] > 1 || got["replayed"] > crowd-1 || len(got) > 2 {
		h.t.Errorf("%s: %d succeeded, logged as %v", d.Label, succeeded.Load(), got)
	}
}

// Any application can call its service "enroll"; what counts is which program it is.
func TestOnlyTheEnrollProgramIsExemptInItsOwnService(t *testing.T) {
	self, err := os.Executable()
	testroot.Must(t, err)
	name, uid := me(t)
	h := newHost(t, "")
	d := testroot.TOTP("app")
	h.root.Enroll(t, name, uid, d)
	twin := filepath.Join(t.TempDir(), "enroll")
	testroot.Must(t, exec.Command("cp", self, twin).Run())
	cases := []struct {
		name, enroll, service string
		exempt                bool
	}{
		{"enroll itself", self, "enroll", true},
		{"enroll itself by another service", self, "latchkey", false},
		{"another program", "/bin/true", "enroll", false},
		{"a copy of enroll", twin, "enroll", false},
		{"no enroll is installed", filepath.Join(t.TempDir(), "enroll"), "enroll", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			confdir := module(t, `-DLATCHKEY_ENROLL="`+c.enroll+`"`)
			err := authenticateBy(c.service, confdir, name, testroot.WrongCode(t, time.Now(), d))
			if exempt := err == nil; exempt != c.exempt {
				t.Errorf("without a code: %v, exempt should be %v", err, c.exempt)
			}
			if line := h.line(); strings.Contains(line, "reason=exempt") != c.exempt {
				t.Errorf("logged %s", line)
			}
		})
	}
}
