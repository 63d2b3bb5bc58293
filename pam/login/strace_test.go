package main_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// calls returns the system calls of the program that strace wrote down, one per line, without the
// process number.
func calls(t *testing.T, file string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(string(testroot.Read(t, file))) {
		_, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		lines = append(lines, strings.TrimSpace(call))
	}
	return lines
}

// order returns the kinds of those calls, one word for each.
func order(lines []string) string {
	kinds := []struct {
		word    string
		pattern *regexp.Regexp
	}{
		{"allow", regexp.MustCompile(`^sendto\(0, "V2 allow"`)},
		{"log", regexp.MustCompile(`^sendto\(\d+, "<85>latchkey: verdict=allow`)},
		{"ask", regexp.MustCompile(`^sendto\(0, "Q`)},
		{"write", regexp.MustCompile(`^pwrite64\(.* = 4096$`)},
		{"flush", regexp.MustCompile(`^fdatasync\(.* = 0$`)},
	}
	var words []string
	for _, line := range lines {
		for _, kind := range kinds {
			if kind.pattern.MatchString(line) {
				words = append(words, kind.word)
			}
		}
	}
	return strings.Join(words, " ")
}

// FAULTS 1. One flush, after which the other slot is brought level and the log and the gate are
// told.
func TestResultOfACodeIsFlushedOnceBeforeItIsReported(t *testing.T) {
	token := enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6, time.Now())
	codes, recovery, err := enrollment.NewRecovery()
	testroot.Must(t, err)
	h := newHost(t, "")
	testroot.Must(t,
		h.root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid}, token, 0))
	testroot.Must(t,
		h.root.Store().SetRecovery(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, recovery))
	for name, c := range map[string]struct{ code, order string }{
		"app":           {h.code(), "ask write flush write log allow"},
		"token":         {"755224", "ask write flush write log allow"},
		"recovery code": {codes[0], "ask write flush write log allow"},
		"wrong code":    {h.wrong(), "ask write flush write ask"},
	} {
		t.Run(name, func(t *testing.T) {
			trace := filepath.Join(t.TempDir(), "trace")
			g := h.start(
				testroot.Strace(t, "-o", trace, "-s", "100", "-e",
					"trace=pwrite64,fdatasync,sendto"))
			g.send("H" + hello("alice"))
			g.receive()
			g.send("A" + c.code)
			if frame, _ := g.receive(); frame == "" {
				t.Fatal("got no answer to the code")
			}
			g.hangUp()
			g.end()
			lines := calls(t, trace)
			got := order(lines)
			if !strings.HasPrefix(got, c.order) || strings.Count(got, "flush") != 1 {
				t.Errorf("got the order %q, want %q:\n%s", got, c.order, strings.Join(lines, "\n"))
			}
		})
	}
}

func TestLoginIsDeniedWithTheReasonIfTheStateCannotBeSaved(t *testing.T) {
	for name, inject := range map[string]string{
		"because the acceptance is not flushed": "fdatasync:error=EIO:when=1",
		"because nothing is flushed":            "fdatasync:error=EIO",
		"because nothing can be written":        "pwrite64:error=EIO",
		"because the disk is full":              "pwrite64:error=ENOSPC",
		"because the quota is used up":          "fdatasync:error=EDQUOT:when=1",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "")
			g := h.startRole(
				testroot.Strace(t, "-o", "/dev/null", "-e", "trace=fdatasync,pwrite64", "-e",
					"inject="+inject))
			g.send("H" + hello("alice"))
			g.expect(prompt)
			g.send("A" + h.code())
			g.expect("EThe second factor cannot be checked (state cannot be saved).\nAsk your " +
				"administrator to look into the log.")
			g.send("A")
			g.verdict("deny 9")
			h.logged(`verdict=deny ` + alice +
				`method=none device="" reason=state tries=1 ms=\d+ detail="state: state cannot ` +
				`be saved: .*"`)
			h.free()
		})
	}
}

func TestLoginIsDeniedIfAFileCannotBeRead(t *testing.T) {
	for reason, file := range map[string]func(testroot.Root) string{
		"record": func(r testroot.Root) string { return r.Record("alice") },
		"state":  func(r testroot.Root) string { return r.State("alice") },
		"config": func(r testroot.Root) string { return r.Join("etc/latchkey/latchkey.toml") },
	} {
		t.Run(reason, func(t *testing.T) {
			h := newHost(t, `unenrolled = "allow"`)
			testroot.Unchanged(t, file(h.root))
			g := h.start(
				testroot.Strace(t, "-o", "/dev/null", "-P", file(h.root), "-e", "trace=read", "-e",
					"inject=read:error=EIO"))
			g.send("H" + hello("alice"))
			g.expect("EThe second factor cannot be checked.\nAsk your administrator to look " +
				"into the log.")
			g.send("A")
			g.verdict("deny 9")
			h.logged(`verdict=deny ` + alice + `method=none device="" reason=` + reason +
				` tries=0 ms=\d+ detail=".*input/output error.*"`)
		})
	}
}

// killCalls are the system calls of a login that change something, here or for the gate.
const killCalls = "recvmsg sendto flock pwrite64 fdatasync poll"

// loginKilled runs a login with the right code below a strace that kills it, and returns what the
// gate received.
func loginKilled(h *host, strace []string, code string) (allowed, killed bool) {
	g := h.startRole(strace)
	g.trySend("H" + hello("alice"))
	if frame, _ := g.receive(); frame == prompt {
		g.trySend("A" + code)
		frame, _ = g.receive()
		allowed = frame == "V2 allow"
	}
	g.hangUp()
	g.end()
	return allowed, !g.cmd.ProcessState.Success()
}

func TestCodeWorksAtMostOnceAfterALoginKilledAtAnySystemCall(t *testing.T) {
	h := newHost(t, "")
	code, fresh := h.code(), testroot.Read(t, h.root.State("alice"))
	deaths := 0
	testroot.Kills(t, killCalls, func(strace []string, before string) bool {
		testroot.Write(t, h.root.State("alice"), fresh)
		allowed, killed := loginKilled(h, strace, code)
		h.free()
		first, second := verify(h, code), verify(h, code)
		if (allowed || !killed) && first != factor.Replayed || first == factor.Wrong ||
			first == factor.Locked || second != factor.Replayed {
			t.Errorf("killed before %s: allowed %v, then results %d and %d", before, allowed,
				first, second)
		}
		if killed {
			deaths++
		}
		return killed
	})
	if deaths < 8 {
		t.Errorf("only %d logins were killed", deaths)
	}
}

// verify tries a code without the program.
func verify(h *host, code string) factor.Result {
	h.t.Helper()
	account, err := h.root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(h.t, err)
	defer account.Close()
	m, err := account.Verify(factor.Guess{
		Code:    code,
		At:      time.Now(),
		Accepts: func(method.Method) bool { return true },
	}, limit.Guesses{Failures: limit.Rate{Count: 10, Window: time.Hour}, Lock: time.Hour})
	testroot.Must(h.t, err)
	return m.Result
}
