package sshd_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/apparmor"
	"latchkey/sshd/calls"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

// everyday is a policy with all that makes logins start other programs.
const everyday = `unenrolled = "enroll"
[trust]
days = 30
bind = ["address"]
[notify]
program = "/usr/local/sbin/tell"
`

// tell is a program of [notify].
const tell = "#!/bin/sh\ncat >>/tmp/told\nls / >/dev/null\n"

// equip gives a host that policy and all it names, and what sites may have: a policy apart,
// which the page for administrators says how to allow, a PAM module that was built there, and an
// authority that is the system's.
const equip = `set -e
chmod 644 /etc/latchkey/latchkey.toml
install -D -m 644 /dev/null /site/policy.toml
echo 'auth required pam_latchkey.so conf=/site/policy.toml' >/etc/pam.d/site
echo '/site/{,policy.toml} r,' >/etc/apparmor.d/local/usr.libexec.latchkey.latchkey-login
install -D -m 644 /usr/lib/*/security/pam_permit.so /usr/local/lib/security/pam_site.so
echo 'auth optional /usr/local/lib/security/pam_site.so' >>/etc/pam.d/enroll
mkdir -p /etc/ssl/certs
cat /etc/latchkey/verify-ca.pem >>/etc/ssl/certs/ca-certificates.crt
sed -i /ca_file/d /etc/latchkey/twilio.toml
`

// waiting gives a user's code while someone else holds the lock of the user's state, until the
// login has looked at who that is, as strace's log shows.
func waiting(t *testing.T, h *suite.Host, u *suite.User, log string) func() string {
	return func() string {
		go h.Exec("", "/usr/bin/flock", "/var/lib/latchkey/users/"+u.Name, "/bin/sh", "-c",
			"touch /tmp/held; until [ -e /tmp/seen ]; do sleep 0.02; done")
		must(t, poll.Until("the lock", time.Minute, func() error { return isThere(h, "/tmp/held") }))
		go poll.Until("the login's look at the locks", time.Minute, func() error {
			text, err := os.ReadFile(log)
			if err == nil && !strings.Contains(string(text), "/fdinfo/") {
				return errors.New("not yet")
			}
			return errors.Join(err, os.WriteFile(h.Path("/tmp/seen"), nil, 0o600))
		})
		return u.Code()
	}
}

func isThere(h *suite.Host, path string) error {
	_, err := os.Stat(h.Path(path))
	return err
}

// logins are logins of every kind that reach for files of their own.
func logins(t *testing.T, s *suite.Server, v *standin.Server, log string) {
	t.Helper()
	enters := func(u *suite.User, answer func(string) (string, error)) {
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Answer: answer}).Close()
	}
	app, phone, fresh := enrolled(t, s.Host), withPhone(t, s.Host, false), user(t, s.Host)
	enters(app, answers(app.WrongCode, waiting(t, s.Host, app, log), word("y")))
	enters(app, nil) // from the computer that is trusted now
	enters(phone, answers(word("sms"), func() string { return v.Code(phone.Number()) }, word("n")))
	enters(fresh, func(prompt string) (string, error) {
		if strings.Contains(prompt, "by hand: ") {
			return fresh.CodeOf(prompt)
		}
		return "", nil // the recovery codes were saved
	})
	apart := enrolled(t, s.Host)
	script(t, s.Host, "echo "+apart.Code()+" | pamtester site "+apart.Name+" authenticate")
	must(t, poll.Until("the program of notify", time.Minute,
		func() error { return isThere(s.Host, "/tmp/told") }))
}

// commands are enroll's, of root and of a user in a session of their own.
func commands(t *testing.T, s *suite.Server) {
	t.Helper()
	u := enrolled(t, s.Host)
	script(t, s.Host, fmt.Sprintf(rootCommands, u.Name))
	c := suite.OpenSSH{User: u.Name, Options: []string{"RequestTTY=yes"}}
	term, err := s.Terminal(c, "host")
	must(t, err)
	defer term.Close()
	typed(t, term, `Password: `, suite.Password)
	typed(t, term, `Verification code: `, u.Code())
	typed(t, term, `Trust`, "n")
	typed(t, term, `\$ `, "enroll status")
	typed(t, term, `\$ `, "enroll codes")
	typed(t, term, `[Pp]assword: `, suite.Password)
	typed(t, term, `[Cc]ode.*: `, u.CodeAt(1))
	must(t, term.Expect(`([0-9a-z]{5}-[0-9a-z]{5}[\s|]+){10}`))
	typed(t, term, `\$ `, "exit")
	_, err = term.Exit()
	must(t, err)
}

// rootCommands are for a user.
const rootCommands = `set -e
u=%s
enroll status --user $u
enroll add totp --user $u --label tablet --yes
enroll remove tablet --user $u --yes
enroll codes --user $u --yes
enroll list --missing
enroll list --metrics
enroll explain $u --from 192.0.2.1 --service sshd
enroll bypass $u --for 1h --yes
enroll backup /root/all.age \
	--recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
enroll rekey
useradd -m erin
printf 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n" TOTP_AUTH\n' >/home/erin/.google_authenticator
chmod 400 /home/erin/.google_authenticator
chown erin: /home/erin/.google_authenticator
enroll import /home/erin/.google_authenticator
enroll reset erin --yes
# This host is not set up: both find something.
enroll doctor || true
enroll activate --dry-run --yes || true
`

// A program that opens one more file would be stopped by AppArmor on every Debian, and lock people
// out. No kernel with AppArmor is needed to notice: strace shows what the programs do, and the
// compiled profiles are what such a kernel would ask. It shows three capabilities, and neither the
// others nor signals and networks, which `make confined` tries.
func profilesAllow(t *testing.T, h *suite.Host) {
	v := verify(t, h, standin.Options{})
	for path, text := range map[string]string{"/etc/latchkey/latchkey.toml": everyday,
		"/usr/local/sbin/tell": tell} {
		_, err := h.Exec(text, "/usr/bin/install", "-m", "755", "/dev/stdin", path)
		must(t, err)
	}
	script(t, h, equip)
	must(t, h.Service("sshd", suite.Latchkey))
	s, err := h.Own("KbdInteractiveAuthentication=yes", "PasswordAuthentication=no")
	must(t, err)
	t.Cleanup(s.Stop)
	trace := calls.Record(t, h, func(log string) {
		logins(t, s, v, log)
		commands(t, s)
	})
	rules, err := apparmor.Compile(h, "", belowProfiles(hostProfiles)...)
	must(t, err)
	sitesNeed(t, rules)
	deeds := calls.Follow(trace, rules, h.Path(""))
	for deed, call := range deeds {
		if err := deed.Allowed(rules); err != nil {
			t.Errorf("a profile lacks a rule: %v, for %s", err, call)
		}
	}
	for _, needed := range neededRules {
		if fewer := without(t, h, needed.file, needed.rule); allAllowed(deeds, fewer, rules) {
			t.Errorf("%s without %q: got everything allowed, want something refused", needed.file,
				needed.rule)
		}
	}
}

// hostProfiles are those of a host that is in no fleet.
var hostProfiles = []string{loginProfile, firstProfile, twilioProfile, notifyProfile,
	enrollProfile}

const (
	loginProfile  = "usr.libexec.latchkey.latchkey-login"
	firstProfile  = "usr.libexec.latchkey.latchkey-enroll"
	twilioProfile = "usr.libexec.latchkey.latchkey-twilio"
	notifyProfile = "usr.libexec.latchkey.latchkey-notify"
	enrollProfile = "usr.bin.enroll"
)

func belowProfiles(names []string) (paths []string) {
	for _, name := range names {
		paths = append(paths, "/etc/apparmor.d/"+name)
	}
	return paths
}

// neededRules are some that logins and commands need: without any of them, this test must fail.
var neededRules = []struct{ file, rule string }{
	{loginProfile, "/var/lib/latchkey/** rwkl,"},
	{loginProfile, "@{PROC}/@{pids}/fdinfo/* r,"},
	{loginProfile, "/usr/libexec/latchkey/latchkey-enroll pux,"},
	{loginProfile, "capability setuid,"},
	{loginProfile, "capability setgid,"},
	{loginProfile, "include if exists <local/usr.libexec.latchkey.latchkey-login>"},
	{firstProfile, "/etc/latchkey/** rwkl,"},
	{twilioProfile, "/usr/libexec/latchkey/latchkey-twilio mrix,"},
	{notifyProfile, "/** mrwlkix,"},
	{enrollProfile, "/usr/bin/enroll mrix,"},
	{enrollProfile, "owner /{home,media,mnt,opt,root,srv,tmp}/** w,"},
}

// without compiles a profile and what it shares with others, less a rule.
func without(t *testing.T, h *suite.Host, file, rule string) apparmor.Profiles {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(profiles, file))
	must(t, err)
	common, err := os.ReadFile(filepath.Join(profiles, "abstractions/latchkey"))
	must(t, err)
	whole := strings.Replace(string(text), "  include <abstractions/latchkey>\n", string(common), 1)
	less := strings.Replace(whole, "\n  "+rule, "", 1)
	if less == whole {
		t.Fatalf("%s has no rule %q", file, rule)
	}
	fewer, err := apparmor.Compile(h, less)
	must(t, err)
	return fewer
}

// allAllowed reports whether a profile that is in place of one of the rest allows every deed.
func allAllowed(deeds map[calls.Deed]calls.Call, changed, rest apparmor.Profiles) bool {
	all := slices.Concat(changed, rest) // the first of a name counts
	for deed := range deeds {
		if deed.Allowed(all) != nil {
			return false
		}
	}
	return true
}
