package sshd_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// site is a host of its own on which logins are made to ask for codes.
type site struct {
	t *testing.T
	*suite.Host
	sshd   *suite.Server
	alice  *suite.User
	before string // the configuration, as it was
}

// configuration is everything that an activation may change, with owners and modes.
const configuration = `find /etc/pam.d /usr/lib/pam.d /etc/ssh /etc/systemd/system /etc/cron.d /etc/init.d \
	/etc/rc?.d -printf '%p %y %m %u:%g %l\n' 2>/dev/null | sort
find /etc/pam.d /etc/ssh /etc/init.d -type f -exec sha256sum {} + | sort -k 2`

// newSite makes one, with the distribution's own sshd and a user who has an app. She may become
// root without being asked.
func newSite(t *testing.T) *site {
	t.Helper()
	return siteOn(t, private(t))
}

func siteOn(t *testing.T, h *suite.Host) *site {
	t.Helper()
	s := &site{t: t, Host: h}
	script(t, s.Host, "sed -i 's/pam_unix.so nullok$/& nodelay/' /etc/pam.d/common-auth\n"+
		"echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice\nenroll reset root || true")
	var err error
	s.alice, err = s.Named("alice")
	must(t, err)
	must(t, s.alice.Enroll())
	s.before = s.configuration()
	s.start()
	return s
}

func (s *site) start(options ...string) {
	s.t.Helper()
	server, err := s.Own(options...)
	must(s.t, err)
	s.t.Cleanup(server.Stop)
	s.sshd = server
}

func (s *site) configuration() string { return script(s.t, s.Host, configuration) }

// types runs a command line and gives everything that it prints, also if it fails.
func (s *site) types(line string) (string, error) {
	out, err := s.Script("exec 2>&1\n" + line)
	return out, err
}

// done runs a command line that must succeed.
func (s *site) done(line string, says ...string) string {
	s.t.Helper()
	out, err := s.types(line)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	s.says(line, out, says...)
	return out
}

// refused runs a command line that must fail.
func (s *site) refused(line string, says ...string) {
	s.t.Helper()
	out, err := s.types(line)
	if err == nil {
		s.t.Fatalf("%s: it succeeded:\n%s", line, out)
	}
	s.says(line, out, says...)
}

func (s *site) says(line, out string, says ...string) {
	s.t.Helper()
	for _, want := range says {
		if !strings.Contains(out, want) {
			s.t.Errorf("%s: got\n%s\nwant %q in it", line, out, want)
		}
	}
}

// withCode is alice's login with her password and these codes.
func withCode(codes ...string) suite.Attempt {
	return suite.Attempt{User: "alice", Password: suite.Password, Codes: codes}
}

// asBefore checks that the configuration is byte for byte as it was, and a password is enough.
func (s *site) asBefore() {
	s.t.Helper()
	if got := s.configuration(); got != s.before {
		s.t.Errorf("got\n%s\nwant\n%s", got, s.before)
	}
	o := allowed(s.t, s.sshd, suite.Attempt{User: "alice", Password: suite.Password,
		PasswordFirst: true})
	if o.CodePrompts() != 0 {
		s.t.Errorf("a code was asked for: %q", o.Prompts)
	}
	o.Close()
}

func TestActivationIsKeptOnlyFromANewLoginWithACode(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		s := newSite(t)
		key := suite.Attempt{User: "alice", Key: shared.Key}
		s.refusals()
		older := allowed(t, s.sshd, key)
		defer older.Close()
		out := s.done("enroll activate --dry-run", "--- /etc/pam.d/sshd",
			"+auth\trequired\tpam_latchkey.so", "+AuthenticationMethods ", "Nothing was changed")
		s.says("--dry-run", out, "root would not get in")
		s.asBefore()
		s.refused("enroll activate </dev/null", "--yes")
		s.asBefore()
		s.done("enroll activate --yes", "enroll activate --confirm", "unless you keep it")
		s.done("enroll activate --yes", "enroll activate --confirm")
		denied(t, s.sshd, key)
		denied(t, s.sshd, withCode(s.alice.WrongCode()))
		s.refused("enroll activate --confirm", "not typed in a login by SSH")
		if out, err := older.Output("sudo enroll activate --confirm"); err == nil ||
			!strings.Contains(out, "older than enroll activate") {
			t.Errorf("from a login before: got %v, %s", err, out)
		}
		o := allowed(t, s.sshd, withCode(s.alice.Code()))
		defer o.Close()
		if o.CodePrompts() != 1 {
			t.Errorf("asked for a code %d times: %q", o.CodePrompts(), o.Prompts)
		}
		out, err := o.Output("sudo enroll activate --confirm")
		if err != nil || !strings.Contains(out, "confirmed by alice") {
			t.Errorf("from a new login: got %v, %s", err, out)
		}
		s.done("enroll activate --status", "In force: password+code (sshd), confirmed by alice")
		s.lost()
		s.edited()
		s.done("enroll deactivate", "/etc/pam.d/sshd: as it was")
		s.asBefore()
		s.done("enroll deactivate", "Nothing to undo")
		s.sudo()
		s.done("enroll activate --status", "not in force")
		s.second()
		s.unknown()
	})
}

// refusals are what activate does not do: what doctor would call an error, what would let no one
// in, and what it does not know.
func (s *site) refusals() {
	s.t.Helper()
	const match = "/etc/ssh/sshd_config.d/99-match.conf"
	s.done("printf 'Match User bob\\n\\tAuthenticationMethods publickey\\n' >" + match)
	s.refused("enroll activate --yes", match+":2", "without a code", "nothing was changed")
	s.done("rm " + match)
	s.asBefore()
	s.elsewhere()
	s.done("enroll reset alice")
	s.refused("enroll activate --yes", "alice would not get in: has no second factor",
		"no one would get in")
	must(s.t, s.alice.Enroll())
	s.refused("enroll activate --yes --stack key+code", "alice would not get in: has no key")
	s.refused("enroll activate --yes --service cron", "sudo, su and login")
	s.refused("enroll activate --yes --stack code", "--stack must be")
	s.refused("enroll activate --yes --within 8d", "--within must be")
	s.refused("enroll activate --confirm", "nothing is to be confirmed")
	s.asBefore()
}

// elsewhere has sshd include files that are not in its own folder: what they say counts.
func (s *site) elsewhere() {
	s.t.Helper()
	s.done("cp -p /etc/ssh/sshd_config /root/; echo \"Include '/opt/m n.conf'\" " +
		">>/etc/ssh/sshd_config")
	s.done("printf 'Match User bob\\n\\tX11Forwarding no\\n' >'/opt/m n.conf'")
	s.done("enroll activate --dry-run")
	s.done("echo AuthenticationMethods publickey >>'/opt/m n.conf'")
	s.refused("enroll activate --yes", "/opt/m n.conf:3", "without a code", "nothing was changed")
	s.done("rm '/opt/m n.conf'; cp -p /root/sshd_config /etc/ssh/")
	s.asBefore()
}

// edited changes a file after the activation: it is not overwritten, and what deactivate says to
// type helps.
func (s *site) edited() {
	s.t.Helper()
	s.done("echo '# mine' >>/etc/pam.d/sshd")
	edited := s.configuration()
	out, err := s.types("enroll deactivate")
	if err == nil {
		s.t.Fatalf("it was overwritten: %s", out)
	}
	s.says("enroll deactivate", out, "/etc/pam.d/sshd: changed since enroll activate")
	if got := s.configuration(); got != edited {
		s.t.Errorf("got\n%s\nwant\n%s", got, edited)
	}
	_, hint, _ := strings.Cut(out, "put back what was there before: ")
	line, _, _ := strings.Cut(hint, "; then again")
	s.done("enroll activate --yes", "In force", "/etc/pam.d/sshd is no longer as")
	s.done(line)
	s.refused("enroll activate --yes", "/etc/pam.d/sshd is as it was before enroll activate",
		"first: enroll deactivate")
}

// lost takes the journal away, as a restore of only /etc does: logins still ask for codes then,
// and no command says that they do not.
func (s *site) lost() {
	s.t.Helper()
	const folder = "/var/lib/latchkey/activation"
	s.done("mv " + folder + " /root/aside")
	for _, command := range []string{"deactivate", "activate --status"} {
		s.refused("enroll "+command, "/etc/ssh/sshd_config.d/00-latchkey.conf and /etc/pam.d/sshd",
			folder+", which says what was there before, is missing", "hint: put that folder")
	}
	s.done("mkdir -p -m 0700 " + folder + "; cp -a /root/aside/. " + folder)
}

// sudo activates sudo as well: it then asks for alice's code once, and for a right one.
func (s *site) sudo() {
	t := s.t
	s.done("enroll reset alice\necho 'alice ALL=(ALL) ALL' >/etc/sudoers.d/alice")
	must(t, s.alice.Enroll())
	s.done("enroll activate --yes --service sudo",
		"sshd now asks for password+code (sshd, sudo, sudo-i)")
	for code, says := range map[string]string{s.alice.WrongCode(): `Not accepted`,
		s.alice.Code(): `uid=0\(root\)`} {
		term, err := terminal.New(s.Shell(as(s.alice, "/usr/bin/sudo", "-k", "/usr/bin/id")...))
		must(t, err)
		typed(t, term, `[Pp]assword`, suite.Password)
		typed(t, term, `From your app.*Verification code: `, code)
		must(t, term.Expect(says))
		term.Close()
	}
	s.done("enroll deactivate")
	s.asBefore()
}

// systemctl stands in for systemd's, of which the site's sshd is a unit.
const systemctl = `mkdir -p /run/systemd/system
cat >/usr/sbin/systemctl <<'EOF'
#!/bin/sh
case $* in
'is-active --quiet ssh.service') ;;
'reload ssh.service') kill -HUP $(cat /run/sshd.pid) ;;
'show --property=MainPID --value ssh.service') cat /run/sshd.pid ;;
*) exit 1 ;;
esac
EOF
chmod 755 /usr/sbin/systemctl
`

// second starts another sshd with the same configuration, which systemd does not reload with its
// unit: it asks for codes, too, and no longer does afterwards.
func (s *site) second() {
	t := s.t
	second, err := s.Own("PidFile=none")
	must(t, err)
	defer second.Stop()
	key := suite.Attempt{User: "alice", Key: shared.Key}
	s.done(systemctl)
	allowed(t, second, key).Close()
	s.done("enroll activate --yes")
	denied(t, s.sshd, key)
	denied(t, second, key)
	port, err := suite.FreePort()
	must(t, err)
	// Told to read its file, which is not in the folder that it is in now, this one would end.
	s.done(fmt.Sprintf("cd /root && cp /etc/ssh/sshd_config emergency && /usr/sbin/sshd "+
		"-f emergency -o PidFile=none -o HostKey=/suite/host_key "+
		"-o ListenAddress=127.0.0.1:%d", port))
	s.done("enroll deactivate")
	allowed(t, second, key).Close()
	s.done("pkill -f 'sshd -f emergency' && rm /root/emergency")
	s.done("rm -r /usr/sbin/systemctl /run/systemd/system")
	s.asBefore()
}

// unknown has a journal with a state that no one knows: it may still have to be undone, so nothing
// that would undo it is switched off.
func (s *site) unknown() {
	s.done("enroll activate --yes --within 1h")
	const journal = "/var/lib/latchkey/activation/journal"
	s.done("cp -p " + journal + " /root/; sed -i 's/\"pending\"/\"pendimg\"/' " + journal)
	for _, command := range []string{"activate --yes", "activate --status", "deactivate",
		"deactivate --due"} {
		s.refused("enroll "+command, journal, `unknown state "pendimg"`, "hint: ")
	}
	s.done("ls /etc/rc2.d/S99latchkey-rollback; cp -p /root/journal " + journal)
	s.done("enroll deactivate")
	s.asBefore()
}

// mistakes are what an administrator may do wrong and doctor cannot see, or does only afterwards.
// With each of them no one gets in.
var mistakes = map[string]string{
	"the app has another secret": "enroll reset alice && enroll add totp --user alice --yes",
	"a typo in the policy":       "echo 'unenroled = \"deny\"' >>/etc/latchkey/latchkey.toml",
	"the login program is gone":  "mv /usr/libexec/latchkey/latchkey-login /root/",
}

// unconfirmed is what the status says of an activation that was undone by itself.
const unconfirmed = "no one has confirmed it"

// keepsOut demands that an activation keeps someone out, and reports whether it did: on a slow
// machine its time may be over before.
func (s *site) keepsOut(a suite.Attempt) bool {
	s.t.Helper()
	o := s.sshd.Login(a)
	defer o.Close()
	if out := s.done("enroll activate --status"); o.In() && !strings.Contains(out, unconfirmed) {
		s.t.Fatalf("allowed; prompts %q\n%s", o.Prompts, out)
	}
	return !o.In()
}

// inTime tries something with an activation that is undone after some seconds, and with more of
// them as long as it says that these were over too soon.
func inTime(t *testing.T, try func(within string) bool) {
	t.Helper()
	for seconds := 4; !try(fmt.Sprintf("%ds", seconds)); seconds *= 2 {
		if seconds > 100 {
			t.Fatalf("%d seconds were not enough", seconds)
		}
	}
}

// undone waits until a password is enough again, and checks that everything is as it was.
func (s *site) undone() {
	s.t.Helper()
	must(s.t, poll.Until("the end of the activation", 5*time.Minute, func() error {
		out, err := s.types("enroll activate --status")
		if err == nil && !strings.Contains(out, unconfirmed) {
			err = errors.New(out)
		}
		return err
	}))
	s.asBefore()
}

func TestActivationWithAMistakeIsUndoneByItself(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		s := newSite(t)
		for name, mistake := range mistakes {
			t.Run(name, func(t *testing.T) {
				s := &site{t, s.Host, s.sshd, s.alice, s.before}
				inTime(t, func(within string) bool {
					s.done("enroll activate --yes --within " + within)
					s.done("cp -a /etc/latchkey /root/latchkey\n" + mistake)
					out := s.keepsOut(withCode(s.alice.Code()))
					s.undone()
					s.done(`rm -rf /etc/latchkey && mv /root/latchkey /etc/latchkey
[ ! -e /root/latchkey-login ] || mv /root/latchkey-login /usr/libexec/latchkey/
enroll reset alice`)
					must(t, s.alice.Enroll())
					return out
				})
			})
		}
	})
}

// FAULTS 20: activate is killed at some moment, and what starts with the machine is started: then
// everything is as it was.
func TestActivationThatIsKilledAtAnyMomentIsUndone(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		s := newSite(t)
		// It takes about a second; on a slow machine there are more tries.
		for after, done := 0.2, false; !done; after *= 1.3 {
			_, err := s.types(fmt.Sprintf("timeout -s KILL %.2f enroll activate --yes --within 1s",
				after))
			s.done("enroll deactivate --due")
			if got := s.configuration(); got != s.before {
				t.Errorf("killed after %.2fs: got\n%s\nwant\n%s", after, got, s.before)
			}
			done = err == nil || after > 60
		}
		s.done("ls /var/lib/latchkey/activation/journal") // one of them came that far
		s.asBefore()
	})
}

// The administrator's session ends with everything in it, before anything can be confirmed.
func TestActivationIsUndoneAlthoughItsSessionIsKilled(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		s := newSite(t)
		inTime(t, func(within string) bool {
			term, err := s.sshd.Terminal(suite.OpenSSH{User: "alice", Methods: "password"}, "host")
			must(t, err)
			defer term.Close()
			typed(t, term, `assword: `, suite.Password)
			typed(t, term, `\$ `, "sudo enroll activate --within "+within)
			typed(t, term, `\[y/N\] `, "y")
			must(t, term.Expect(`enroll activate --confirm`))
			// Everything that has alice's terminal, and sshd's processes for her.
			s.done(`pkill -KILL -t pts/$(ps -o tty= -u alice | sed -n 's,^pts/,,p' | head -n 1) || true
pkill -KILL -f 'sshd.*: alice' || true`)
			defer s.undone()
			return s.keepsOut(suite.Attempt{User: "alice", Key: shared.Key})
		})
	})
}

// newLastingSite makes a site whose machine can be started again.
func newLastingSite(t *testing.T, d *suite.Distribution) *site {
	t.Helper()
	h, err := shared.Lasting(d)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	return siteOn(t, h)
}

// boots starts what System V's init starts of latchkey.
const boots = "for script in /etc/rc2.d/S*latchkey*; do $script start; done"

func TestActivationIsUndoneAfterTheMachineWasStartedAgain(t *testing.T) {
	t.Parallel()
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s := newLastingSite(t, d)
			inTime(t, func(within string) bool {
				s.done("enroll activate --yes --within " + within)
				s.sshd.Stop()
				must(t, s.Restart())
				s.start()
				defer s.undone()
				defer s.done(boots)
				return s.keepsOut(suite.Attempt{User: "alice", Key: shared.Key})
			})
			// What is confirmed stays so.
			s.done("enroll activate --yes --within 10m")
			o := allowed(t, s.sshd, withCode(s.alice.Code()))
			if out, err := o.Output("sudo enroll activate --confirm"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			o.Close()
			s.sshd.Stop()
			must(t, s.Restart())
			s.done("ls /etc/rc2.d; ! ls /etc/rc2.d/S*latchkey*")
			s.start()
			denied(t, s.sshd, suite.Attempt{User: "alice", Key: shared.Key})
			s.done("enroll activate --status", "In force")
			s.done("enroll deactivate")
			s.asBefore()
		})
	}
}
