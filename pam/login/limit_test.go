//go:build cgo

package main_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/fleet/standin"
	"latchkey/pam/testroot"
)

// FAULTS 41
func TestLimitThatTheApplicationCannotRaiseIsHarmlessOrNamedInTheLog(t *testing.T) {
	testroot.NeedRoot(t, "others may raise no limit")
	name, id := me(t)
	h, confdir := newHost(t, ""), module(t)
	for _, c := range []struct {
		what  int
		value uint64
		named string // what the module itself logs; nothing: the user gets in
	}{
		{unix.RLIMIT_AS, 200 << 20, "; RLIMIT_AS is 200 MB and may not be raised"}, // vsftpd
		{unix.RLIMIT_AS, 256 << 20, "; RLIMIT_AS is 256 MB and may not be raised"}, // dovecot
		{unix.RLIMIT_AS, 1 << 30, ""},
		{unix.RLIMIT_DATA, 16 << 20, "; RLIMIT_DATA is 16 MB and may not be raised"},
		{unix.RLIMIT_DATA, 64 << 20, "; RLIMIT_DATA is 64 MB and may not be raised"},
		{unix.RLIMIT_STACK, 4096, "; RLIMIT_STACK is 4096 and may not be raised"},
		{unix.RLIMIT_NOFILE, 10, ""},
		{unix.RLIMIT_NPROC, 0, ""}, // not for the machine's root; it counts in a user namespace
		{unix.RLIMIT_FSIZE, 8192, ""},
		{unix.RLIMIT_CPU, 1, ""},
		{unix.RLIMIT_SIGPENDING, 0, ""},
		{unix.RLIMIT_MEMLOCK, 0, ""},
		{unix.RLIMIT_CORE, 0, ""},
	} {
		t.Run(fmt.Sprint(c.what, " ", c.value), func(t *testing.T) {
			h.root.Enroll(t, name, id, h.phone)
			a := apply(t, nil, confdir, name, fmt.Sprintf("limit=%d:%d", c.what, c.value))
			if c.named != "" {
				line := a.hears()
				if !strings.HasSuffix(line,
					`detail="login program ended without a verdict`+c.named+`"`) {
					t.Errorf("the module logged %q, want %s", line, c.named)
				}
				a.ends("4")
				return
			}
			if got := a.hears(); got != prompt[1:] {
				t.Fatalf("the application said %q, want the prompt", got)
			}
			a.answers(h.code())
			a.ends("0")
			h.logged(`verdict=allow .*`)
		})
	}
}

// The login program itself reports what it runs into.
func TestLoginProgramNamesALimitThatItHits(t *testing.T) {
	testroot.NeedRoot(t, "others may raise no limit")
	name, id := me(t)
	h, confdir := newHost(t, ""), module(t)
	for option, want := range map[string]string{
		fmt.Sprintf("limit=%d:0", unix.RLIMIT_FSIZE):  "state cannot be saved: .*file too large",
		fmt.Sprintf("limit=%d:6", unix.RLIMIT_NOFILE): "too many open files",
	} {
		h.root.Enroll(t, name, id, h.phone)
		a := apply(t, nil, confdir, name, option)
		if a.hears() == prompt[1:] {
			a.answers(h.code())
			a.hears() // says that the factor cannot be checked
		}
		a.ends("9")
		h.logged(`verdict=deny .* detail=".*` + want + `.*"`)
	}
}

// The gate leaves a login three descriptors, which Go raises for itself and gives back to what it
// starts: a shell could not even open its script then.
func TestProgramsOfALoginMayOpenFiles(t *testing.T) {
	name, id := me(t)
	h, confdir := newHost(t, ""), module(t)
	h.root.Enroll(t, name, id, h.phone)
	standin.Start(t, time.Now).Join(h.root, "web1", "")
	note := h.root.Join("note")
	testroot.Must(t, os.WriteFile(note, nil, 0o666))
	testroot.Must(t, os.Chmod(note, 0o666))
	standin.Program(t, h.root, []byte("#!/bin/sh\nulimit -Sn >"+note+"\n"))
	a := apply(t, nil, confdir, name)
	a.hears() // that the code cannot be checked
	a.ends("9")
	text := strings.TrimSpace(string(testroot.Read(t, note)))
	if got, err := strconv.Atoi(text); err != nil || got < 32 {
		t.Errorf("got a limit of %q descriptors, want about 64", text)
	}
}
