package sshd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

// asksOnce is a program that has one field for password and code. A client's login reports whether
// it was let in.
type asksOnce struct {
	name, service string
	start         func(*fieldHost, *testing.T)
	login         func(h *fieldHost, t *testing.T, u *suite.User, password, code string) bool
}

// theyAskOnce are the programs of packaging/examples/one-field. Static challenge is a second field.
var theyAskOnce = []asksOnce{
	{"OpenVPN", "openvpn", (*fieldHost).startVPN, (*fieldHost).vpnLogin},
	{"OpenVPN with static-challenge", "openvpn-challenge", (*fieldHost).startChallengingVPN,
		(*fieldHost).challengedLogin},
	{"Dovecot", "dovecot", (*fieldHost).startDovecot, (*fieldHost).imapLogin},
	{"vsftpd", "vsftpd", (*fieldHost).startVsftpd, (*fieldHost).ftpLogin},
	{"FreeRADIUS", "radiusd", (*fieldHost).startRadius, (*fieldHost).radiusLogin},
	{"xrdp", "xrdp-sesman", (*fieldHost).startSesman, (*fieldHost).sesmanLogin},
}

// fieldHost is a host with those programs, set up as the page of the recipe says.
type fieldHost struct {
	*recipeHost
	page string
}

func newFieldHost(t *testing.T, d *suite.Distribution) *fieldHost {
	t.Helper()
	host, err := shared.Apart(d, "openvpn", "dovecot-imapd", "vsftpd", "freeradius",
		"freeradius-utils", "xrdp")
	must(t, err)
	t.Cleanup(func() { must(t, host.Close()) })
	page, err := os.ReadFile(filepath.Join(examples, "one-field", "README.md"))
	must(t, err)
	h := &fieldHost{recipeHost: &recipeHost{Host: host}, page: string(page)}
	h.replacesDebians(t)
	h.follow(t, "one-field")
	for _, program := range []string{"client.py", "without_limit.py"} {
		text, err := os.ReadFile("testdata/onefield/" + program)
		must(t, err)
		_, err = host.Exec(string(text), "/usr/bin/install", "/dev/stdin", "/root/"+program)
		must(t, err)
	}
	script(t, host, `set -e
sed -i 's/use_first_pass$/& nodelay/; s/pam_unix.so$/& nodelay/' \
	/etc/pam.d/openvpn* /etc/pam.d/dovecot /etc/pam.d/vsftpd /etc/pam.d/radiusd \
	/etc/pam.d/xrdp-sesman
printf '[limits]\nfailures = "4/10m"\n' >/etc/latchkey/latchkey.toml`)
	return h
}

// replacesDebians checks that the files differ from Debian's only in how they ask. Debian 13 has
// more optional lines for xrdp.
func (h *fieldHost) replacesDebians(t *testing.T) {
	t.Helper()
	for _, service := range []string{"dovecot", "vsftpd", "radiusd", "xrdp-sesman"} {
		ours, err := os.ReadFile(filepath.Join(examples, "one-field", "pam.d-"+service))
		must(t, err)
		theirs := script(t, h.Host, "cat /etc/pam.d/"+service)
		if got, want := mandatory(string(ours)), mandatory(theirs); !slices.Equal(got, want) {
			t.Errorf("pam.d-%s has, beside the lines that ask, %q; Debian's has %q", service, got,
				want)
		}
	}
}

// mandatory returns the sorted lines of a PAM file that do not ask and are not left out where a
// module is missing.
func mandatory(text string) []string {
	lines := slices.DeleteFunc(others(text), func(line string) bool {
		return strings.HasPrefix(line, "-") || strings.HasPrefix(line, "auth requisite pam_unix.so")
	})
	slices.Sort(lines)
	return lines
}

// says returns a text that the page says to write.
func (h *fieldHost) says(t *testing.T, text string) string {
	t.Helper()
	if !strings.Contains(h.page, "\n"+text+"\n") {
		t.Fatalf("the page does not say %q", text)
	}
	return text
}

// daemon starts a program that goes into the background by itself, and waits until a command finds
// it ready. The agent ends what is left of a script, so the program has a session of its own.
func (h *fieldHost) daemon(t *testing.T, command, ready string) {
	t.Helper()
	script(t, h.Host, "setsid "+command+" </dev/null >/dev/null 2>&1")
	must(t, poll.Until(command, time.Minute, func() error {
		_, err := h.Script(ready)
		return err
	}))
}

// listening is a command that finds a server at a port.
func listening(port int) string {
	return fmt.Sprintf("python3 -c 'import socket\nsocket.create_connection((\"127.0.0.1\", %d))'",
		port)
}

// client runs one and reports whether its last words are that it is in; it must say one or the
// other.
func (h *fieldHost) client(t *testing.T, stdin, command, in, out string) bool {
	t.Helper()
	said, err := h.Exec(stdin, "/bin/sh", "-c", "{ "+command+"\n} 2>&1; true")
	must(t, err)
	if strings.Contains(said, in) == strings.Contains(said, out) {
		t.Errorf("the client says neither %q nor %q, or both: %s", in, out, said)
	}
	return strings.Contains(said, in)
}

func TestProgramsWithOneFieldLetInOnlyWithPasswordAndCode(t *testing.T) {
	onEach(t, func(t *testing.T, other *suite.Host) {
		h := newFieldHost(t, other.Distribution)
		h.makeKeys(t)
		for _, p := range theyAskOnce {
			t.Run(p.name, func(t *testing.T) {
				p.start(h, t)
				h.healthy(t, p.service)
				h.tries(t, p)
			})
		}
		t.Run("wrong codes lock", h.locks)
		t.Run("the logins that the page shows", h.showsThePagesLogins)
	})
}

// tries are right and wrong passwords with right, wrong and no codes. A line of latchkey's about
// a code is there only where the password was right, and wrong passwords lock no one.
func (h *fieldHost) tries(t *testing.T, p asksOnce) {
	u := enrolled(t, h.Host)
	recovery, code := word(","+h.recoveryCode(t, u)), ""
	// A code is computed when it is typed: with some clients a login takes seconds.
	now := func() string { code = u.Code(); return code }
	used := func() string { return code }
	next := func() string { return "," + u.CodeAt(1) }
	for _, c := range []struct {
		name, password string
		code           func() string
		in             bool
		denials        int // in the log so far
	}{
		{"both wrong", "not it", u.WrongCode, false, 0},
		{"a wrong password", "not it", now, false, 0},
		{"a second one", "not it either", now, false, 0},
		{"a third", "nor this", now, false, 0},
		{"a wrong password and a recovery code", "nor that", recovery, false, 0},
		{"a wrong password and no code", "not it", word(""), false, 0},
		{"a wrong code", suite.Password, u.WrongCode, false, 1},
		{"no code", suite.Password, word(""), false, 2},
		{"both right", suite.Password, now, true, 2},
		{"the code once more", suite.Password, used, false, 3},
		{"the next one behind a comma", suite.Password, next, true, 3},
		{"a recovery code", suite.Password, recovery, true, 3},
		{"the recovery code once more", suite.Password, recovery, false, 4},
	} {
		if in := p.login(h, t, u, c.password, c.code()); in != c.in {
			t.Errorf("%s: let in: %v, want %v\n%s", c.name, in, c.in, logOf(h.Host, u.Name))
		}
		if err := h.hasDenied(u, c.denials); err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, logOf(h.Host, u.Name))
		}
	}
	audited(t, h.Host, u.Name, 7, "verdict=deny", `service="`+p.service+`"`)
}

// locks is the twin: wrong codes behind the right password do lock.
func (h *fieldHost) locks(t *testing.T) {
	u := enrolled(t, h.Host)
	for range 4 {
		h.vpnLogin(t, u, suite.Password, u.WrongCode())
	}
	if h.vpnLogin(t, u, suite.Password, u.Code()) {
		t.Errorf("after four wrong codes the right one is let in\n%s", logOf(h.Host, u.Name))
	}
	audited(t, h.Host, u.Name, 5, "verdict=deny", "reason=locked")
}

// recoveryCode returns one that is new.
func (h *fieldHost) recoveryCode(t *testing.T, u *suite.User) string {
	t.Helper()
	codes := strings.Fields(script(t, h.Host, "enroll codes --yes --user "+u.Name))
	return codes[0]
}

// hasDenied waits until so many of latchkey's lines about the user deny. The line of a
// conversation that the program has ended may come after its answer.
func (h *fieldHost) hasDenied(u *suite.User, want int) error {
	return poll.Until("lines about denied codes", time.Minute, func() error {
		lines, err := h.Log()
		got := strings.Count(strings.Join(lines, "\n"), fmt.Sprintf("verdict=deny user=%q", u.Name))
		if err == nil && got != want {
			err = fmt.Errorf("got %d, want %d", got, want)
		}
		return err
	})
}
