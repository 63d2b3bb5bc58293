package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/twilio/standin"
	"latchkey/sshd/terminal"
)

// site is a host below a folder, with the programs as they are installed, a logger, and a
// stand-in for Twilio Verify. Its users are those of this machine; all have one password.
type site struct {
	t         *testing.T
	exe, root string
	verify    *standin.Server
	log       *net.UnixConn
}

// The users of tests, whom every Debian system has.
var (
	alice = identity{User: record.User{Name: "games", UID: 5}}
	bob   = identity{User: record.User{Name: "nobody", UID: nobody}}
	carol = identity{User: record.User{Name: "daemon", UID: 1}}
)

// password is every user's.
const password = "correct horse"

// siteFolder has the programs, built once for all tests, and the root for which they were built.
var siteFolder string

var buildSite = sync.OnceValue(func() error {
	var err error
	if siteFolder, err = os.MkdirTemp("", "latchkey-site"); err != nil {
		return err
	}
	if err := os.Chmod(siteFolder, 0o755); err != nil {
		return err
	}
	for program, argv := range map[string][]string{
		"enroll":          {"-ldflags", "-X main.root=" + siteFolder + "/root", "."},
		"latchkey-twilio": {"../pam/twilio"},
		"latchkey-notify": {"-ldflags", "-X main.root=" + siteFolder + "/root", "../pam/notify"},
	} {
		build := exec.Command("go", append([]string{"build", "-o",
			filepath.Join(siteFolder, program)}, argv...)...)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	return os.Chmod(siteFolder+"/enroll", 0o755|os.ModeSetuid)
})

// passwordOnly is /etc/pam.d/enroll of a site: the script compares the password.
const passwordOnly = `auth [success=1 default=ignore] pam_exec.so expose_authtok quiet %s/check
auth requisite pam_deny.so
auth required pam_permit.so
account required pam_permit.so
`

// askPasswords makes PAM ask for the password below root.
func askPasswords(t *testing.T, root string) {
	t.Helper()
	put(t, root+"/check", "#!/bin/sh\n[ \"$(tr -d '\\000')\" = '"+password+"' ]\n", 0o755)
	put(t, root+"/etc/pam.d/enroll", fmt.Sprintf(passwordOnly, root), 0o644)
}

// newSite makes a host whose Verify service is as o says, in place of any there was.
func newSite(t *testing.T, o standin.Options) *site {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: enroll is installed setuid root, and this test does not run as root")
	}
	if err := buildSite(); err != nil {
		t.Fatal(err)
	}
	root := siteFolder + "/root"
	s := &site{t: t, exe: siteFolder + "/enroll", root: root}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.RemoveAll(root))
	must(makeRoot(root))
	askPasswords(t, root)
	must(os.MkdirAll(root+"/usr/libexec/latchkey", 0o755))
	for _, program := range []string{"latchkey-twilio", "latchkey-notify"} {
		must(os.Link(siteFolder+"/"+program, root+"/usr/libexec/latchkey/"+program))
	}
	var err error
	s.verify, err = standin.Start(o)
	must(err)
	t.Cleanup(s.verify.Close)
	put(t, root+"/etc/latchkey/twilio.toml", s.verify.TOML("/etc/latchkey/ca.pem"), 0o600)
	put(t, root+"/etc/latchkey/ca.pem", s.verify.Settings().CA, 0o600)
	must(os.MkdirAll(root+"/dev", 0o755))
	s.log, err = net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: root + "/dev/log", Net: "unixgram"})
	must(err)
	t.Cleanup(func() { s.log.Close() })
	return s
}

// as starts enroll as a user, on a terminal.
func (s *site) as(u identity, args ...string) *terminal.Terminal {
	s.t.Helper()
	id := fmt.Sprint(u.UID)
	drop := []string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups", s.exe}
	return started(s.t, 80, 24, slices.Concat(drop, args))
}

// root runs enroll as root, and demands that it succeeds.
func (s *site) asRoot(args ...string) string {
	s.t.Helper()
	return runs(s.t, s.exe, args...)
}

// talk types at a program: what is expected and what is typed then, in turn. The last is
// expected alone.
func talk(t *testing.T, term *terminal.Terminal, lines ...string) {
	t.Helper()
	for i, line := range lines {
		if i%2 == 0 {
			expect(t, term, line)
		} else {
			typed(t, term, line)
		}
	}
}

// logged is everything that was logged since it was last asked.
func (s *site) logged() (lines []string) {
	s.t.Helper()
	raw, err := s.log.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	buf := make([]byte, 65536)
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
			if err != nil {
				return true
			}
			lines = append(lines, string(buf[:n]))
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return lines
}

// logs demands that exactly these lines were logged since the log was last asked, behind their
// priority.
func (s *site) logs(patterns ...string) {
	s.t.Helper()
	got := s.logged()
	if len(got) != len(patterns) {
		s.t.Errorf("%d lines in the log, want %d: %q", len(got), len(patterns), got)
		return
	}
	for i, pattern := range patterns {
		if !regexp.MustCompile(`^<8[45]>latchkey: ` + pattern + `$`).MatchString(got[i]) {
			s.t.Errorf("the log has\n%s\nwant\n%s", got[i], pattern)
		}
	}
}

// refusedLine is the pattern of the line about a refused code.
func refusedLine(u identity, method, device, reason string) string {
	return fmt.Sprintf(`verdict=deny user=%q service="enroll" from="" method=%s device=%q `+
		`reason=%s `,
		u.Name, method, device, reason) + `tries=\d+ ms=\d+( detail=".*")?`
}

// failures is how many wrong codes count against a user.
func (s *site) failures(u identity) int {
	s.t.Helper()
	st, err := s.keyring().States.View(u.Name)
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return len(st.Failures)
}

func (s *site) keyring() factor.Keyring {
	return factor.NewKeyring(s.root, safefile.Patience{Limit: lockWait})
}

// state is a user's state.
func (s *site) state(u identity) *state.State {
	s.t.Helper()
	st, err := s.keyring().States.View(u.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// policy writes latchkey.toml.
func (s *site) policy(text string) {
	s.t.Helper()
	put(s.t, filepath.Join(s.root, "etc/latchkey/latchkey.toml"), text, 0o644)
}

// withApp gives a user an app with the RFC's test secret.
func (s *site) withApp(u identity) {
	s.t.Helper()
	put(s.t, s.root+"/secret", rfcSecret+"\n", 0o600)
	s.asRoot("--user", u.Name, "add", "totp", "--label", "app", "--secret-file",
		s.root+"/secret", "--yes")
	s.logged()
}

// withPhone gives a user a phone.
func (s *site) withPhone(u identity, number string) {
	s.t.Helper()
	s.asRoot("--user", u.Name, "add", "phone", "--label", "mobile", "--number", number, "--yes")
	s.logged()
}
