package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// transcript returns everything that a login with a wrong and a right code shows: to the user, in
// the log, on stdout and stderr.
func transcript(h *host, extra ...string) string {
	h.t.Helper()
	h.root.Enroll(h.t, "alice", uid, h.phone)
	var output bytes.Buffer
	dump := filepath.Join(h.t.TempDir(), "output")
	g := h.start([]string{"sh", "-c", `exec "$0" >` + dump + ` 2>&1`}, extra...)
	g.send("H" + hello("alice", "debug"))
	for _, answer := range []string{h.wrong(), h.code()} {
		frame, err := g.receive()
		testroot.Must(h.t, err)
		output.WriteString(frame + "\n")
		g.send("A" + answer)
	}
	frame, _ := g.receive()
	g.end()
	output.WriteString(frame + "\n" + h.line() + "\n" + h.line() + "\n")
	output.Write(testroot.Read(h.t, dump))
	return regexp.MustCompile(`ms=\d+`).ReplaceAllString(output.String(), "ms=N")
}

func TestAHostileEnvironmentMakesNoDifference(t *testing.T) {
	h := newHost(t, "")
	want := transcript(h)
	if !strings.Contains(want, "V2 allow") || strings.Contains(want, h.code()) {
		t.Fatalf("the login went\n%s", want)
	}
	trap := t.TempDir()
	for _, variable := range []string{
		"GODEBUG=http2debug=2,netdns=go+2,execerrdot=0,fips140=off",
		// One at a time: different threads write them, line by line in pieces.
		"GODEBUG=inittrace=1", "GODEBUG=gctrace=1", "GODEBUG=schedtrace=1",
		"GODEBUG=fips140=on",
		"GOTRACEBACK=crash",
		"GOCOVERDIR=" + trap,
		"GOMEMLIMIT=1",
		"GOMAXPROCS=64",
		"TMPDIR=" + trap,
		"TZ=Pacific/Kiritimati",
		"TZ=../../../../etc/shadow",
		"ZONEINFO=" + trap,
		"HOME=" + trap,
		"PATH=" + trap,
		"LD_PRELOAD=" + trap + "/evil.so",
		"LD_LIBRARY_PATH=" + trap,
		"SSL_CERT_FILE=" + trap + "/ca", "SSL_CERT_DIR=" + trap,
		"HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1",
		"ALL_PROXY=http://127.0.0.1:1",
		"TWILIO_ACCOUNT_SID=AC0", "TWILIO_AUTH_TOKEN=x", "LATCHKEY_ROOT=" + trap,
		"LC_ALL=tr_TR.UTF-8", "LANGUAGE=tr", "NOTIFY_SOCKET=" + trap + "/s",
	} {
		t.Run(variable[:strings.IndexByte(variable, '=')], func(t *testing.T) {
			h.t = t
			got := transcript(h, variable)
			if strings.Contains(variable, "trace=1") {
				// the runtime's numbers about itself; the gate does not pass GODEBUG on
				got = withoutTraces(got)
			}
			if got != want {
				t.Errorf("with %s the login went\n%s, not\n%s", variable, got, want)
			}
			if left, err := os.ReadDir(trap); err != nil || len(left) > 0 {
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
}

// withoutTraces removes what the Go runtime itself prints if GODEBUG asks for it.
func withoutTraces(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !regexp.MustCompile(
			`^(init |gc \d|SCHED |\s|GODEBUG|(S|SC|SCH|SCHE|SCHED)$)`).MatchString(line) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestTheProgramTakesNoArguments(t *testing.T) {
	h := newHost(t, "")
	g := h.start([]string{"sh", "-c", `exec "$0" --help -version root=/tmp`})
	g.send("H" + hello("alice"))
	g.expect(prompt)
	g.send("A" + h.code())
	g.verdict("allow")
}
