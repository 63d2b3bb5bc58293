package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/enroll/setuid"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

// probe answers doctor's question as Twilio would.
type probe struct {
	verifier
	answer protocol.Answer
}

func (p probe) Ready() error { return nil }

func (p probe) Probe() protocol.Answer { return p.answer }

func TestDoctorSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		answer protocol.Answer
		says   []string
		status int
	}{
		"nothing is wrong": {protocol.Answer{Result: protocol.ProbeOK, Skew: 2},
			[]string{"ok: Twilio Verify takes the credentials\n",
				"ok: this machine's clock agrees with Twilio's\n"}, exitDone},
		"the clock is slow": {protocol.Answer{Result: protocol.ProbeOK, Skew: 95},
			[]string{"error: this machine's clock: -95 seconds from Twilio's\n", "timedatectl"},
			exitFailed},
		"the clock is fast": {protocol.Answer{Result: protocol.ProbeOK, Skew: -95},
			[]string{"error: this machine's clock: 95 seconds from Twilio's\n"}, exitFailed},
		"the key": {protocol.Answer{Result: protocol.Credentials, Detail: "wrong key"},
			[]string{"error: Twilio Verify: credentials: wrong key\n",
				"hint: check account_sid, api_key"}, exitFailed},
		"the permission": {protocol.Answer{Result: protocol.Permission},
			[]string{"error: Twilio Verify: permission", "hint: the API key lacks"}, exitFailed},
		"the service": {protocol.Answer{Result: protocol.UnknownService},
			[]string{"error: Twilio Verify: unknown_service", "hint: check service_sid"},
			exitFailed},
		"the network": {protocol.Answer{Result: protocol.Unreachable},
			[]string{"error: Twilio Verify: unreachable", "hint: no connection"}, exitFailed},
		"the certificate": {protocol.Answer{Result: protocol.Certificate},
			[]string{"error: Twilio Verify: certificate", "hint: the server's certificate"},
			exitFailed},
		"the time": {protocol.Answer{Result: protocol.Timeout},
			[]string{"error: Twilio Verify: timeout", "hint: no answer in time"}, exitFailed},
		"anything else": {protocol.Answer{}, []string{"error: Twilio Verify: "}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			installed(t, root)
			twilioSettings(t, root)
			var out, errs bytes.Buffer
			p := newProgram(setuid.Privilege{}, root)
			p.Console = silent(&out, &errs)
			p.newVerifier = func() verifier { return probe{answer: c.answer} }
			if status := p.run([]string{"doctor"}); status != c.status {
				t.Errorf("exit status %d, not %d: %s", status, c.status, errs.String())
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in %q", want, out.String())
				}
			}
		})
	}
}

func TestDoctorChangesNothing(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	twilioSettings(t, root)
	var out bytes.Buffer
	run := func() string {
		out.Reset()
		p := newProgram(setuid.Privilege{}, root)
		p.Console = silent(&out, &out)
		p.newVerifier = func() verifier {
			return probe{answer: protocol.Answer{Result: protocol.ProbeOK, CodeLength: 8}}
		}
		before := tree(t, root)
		p.run([]string{"doctor"})
		if after := tree(t, root); after != before {
			t.Errorf("got\n%s\nwant\n%s", after, before)
		}
		return out.String()
	}
	host := root + "/var/lib/latchkey/host"
	for _, want := range []string{"ok: " + host + ": made with the first phone\n",
		"takes the credentials: its codes have 8 digits\n"} {
		if said := run(); !strings.Contains(said, want) {
			t.Errorf("got %s, want %s", said, want)
		}
	}
	put(t, host, "LATCHKEY", 0o600)
	if said := run(); !strings.Contains(said, "error: "+host) ||
		!strings.Contains(said, "enroll add phone") {
		t.Errorf("got %s", said)
	}
}

// tree is all that is below a folder, with what the files hold.
func tree(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := []byte{}
		if info.Mode().IsRegular() {
			text, err = os.ReadFile(path)
		}
		fmt.Fprintf(&all, "%s %s %d %x\n", path, info.Mode(), info.Size(), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// installed is a machine without sshd, on which everything else is as it should be.
func installed(t *testing.T, root string) {
	t.Helper()
	if err := errors.Join(makeRoot(root), os.Chmod(root+"/var/lib/latchkey", 0o700)); err != nil {
		t.Fatal(err)
	}
	put(t, root+"/etc/pam.d/enroll", "auth required pam_unix.so\n", 0o644)
	for path, mode := range map[string]os.FileMode{
		"/usr/lib/security/pam_deny.so": 0o644, "/usr/lib/security/pam_latchkey.so": 0o644,
		"/usr/bin/enroll":                       0o755 | os.ModeSetuid,
		"/usr/libexec/latchkey/latchkey-login":  0o755,
		"/usr/libexec/latchkey/latchkey-enroll": 0o755,
		"/usr/libexec/latchkey/latchkey-twilio": 0o755,
		"/usr/libexec/latchkey/latchkey-notify": 0o755,
		"/usr/libexec/latchkey/latchkey-fleet":  0o755,
	} {
		put(t, root+path, "", mode)
	}
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
		os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode))
	if err != nil {
		t.Fatal(err)
	}
}

// twilioSettings writes a twilio.toml that can be read.
func twilioSettings(t *testing.T, root string) {
	t.Helper()
	v, err := standin.Start(standin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	text := v.TOML("/etc/latchkey/ca.pem")
	for file, content := range map[string]string{"twilio.toml": text, "ca.pem": v.Settings().CA} {
		if err := os.WriteFile(root+"/etc/latchkey/"+file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
