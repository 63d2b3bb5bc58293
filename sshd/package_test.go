package sshd_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// debs are Debian packages of two versions.
func debs(t *testing.T) (older, newer string) {
	t.Helper()
	dir, err := madeDebs()
	must(t, err)
	return filepath.Join(dir, "packages/latchkey_1.0.1-1_amd64.deb"),
		filepath.Join(dir, "packages/latchkey_1.0.2-1_amd64.deb")
}

// madeDebs makes them once for all tests with `make packages`, from the same source, in a folder
// of the suite's.
var madeDebs = sync.OnceValues(func() (dir string, err error) {
	if arch, err := exec.Command("dpkg", "--print-architecture").Output(); err != nil ||
		strings.TrimSpace(string(arch)) != "amd64" {
		return "", fmt.Errorf("packages are made on amd64 alone, not on %q (%v)", arch, err)
	}
	if dir, err = os.MkdirTemp(scratch, "debs-*"); err != nil {
		return "", err
	}
	for _, version := range []string{"1.0.1", "1.0.2"} {
		cmd := exec.Command("make", "-C", "..", "packages", "ARCHES=amd64", "KINDS=deb",
			"VERSION="+version, "B="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("make packages: %w\n%s", err, out)
		}
	}
	return dir, nil
})

// machine is a host without latchkey, with its distribution's own sshd and one user.
type machine struct {
	t *testing.T
	*suite.Host
	sshd  *suite.Server
	alice *suite.User
}

// onMachines runs a test on a clean machine of each distribution.
func onMachines(t *testing.T, test func(m machine)) {
	t.Helper()
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			h, err := shared.Bare(d)
			must(t, err)
			t.Cleanup(func() { must(t, h.Close()) })
			s, err := h.Own()
			must(t, err)
			t.Cleanup(s.Stop)
			alice, err := h.Named("alice")
			must(t, err)
			test(machine{t, h, s, alice})
		})
	}
}

// put copies a package into root's home.
func (m machine) put(deb string) {
	m.t.Helper()
	data, err := os.ReadFile(deb)
	must(m.t, err)
	must(m.t, os.WriteFile(m.Path("/root/"+filepath.Base(deb)), data, 0o644))
}

// prelude stands in for systemd, which is missing: a reload does what its unit does, and ends when
// sshd listens again.
const prelude = `cd /root
exec 2>&1
systemctl() {
	[ "$*" = 'reload ssh' ] || exit 1
	before=$(grep -c 'Server listening' /suite/log)
	kill -HUP "$(cat /run/sshd.pid)"
	for i in $(seq 600); do
		[ "$(grep -c 'Server listening' /suite/log)" = "$before" ] || return 0
		sleep 0.1
	done
	exit 1
}
set -e
`

// sh runs a command line in root's home. apt gives dpkg a terminal, which ends lines in its own
// way.
func (m machine) sh(line string) (string, error) {
	out, err := m.Script(prelude + line + "\n")
	return strings.ReplaceAll(out, "\r", ""), err
}

func (m machine) run(line string) {
	m.t.Helper()
	if out, err := m.sh(line); err != nil {
		m.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// setUp answers enroll's questions on a terminal that has just been started.
func (m machine) setUp(term *terminal.Terminal, u *suite.User) {
	m.t.Helper()
	must(m.t, term.Expect(`Type the code that the app shows now. Verification code: `))
	must(m.t, u.ReadSecret(term.Seen()))
	for range 2 { // the time of a code may end while it is typed
		must(m.t, term.Type(u.CodeAt(-1))) // later ones are for the logins
		must(m.t, term.Expect(`Done: |That code is .*\n`))
		if strings.Contains(term.Seen(), "Done: ") {
			break
		}
	}
	if exit, err := term.Exit(); err != nil || exit != 0 {
		m.t.Fatalf("enroll: exit %d, %v: %q", exit, err, term.Seen())
	}
}

func (m machine) terminal(argv ...string) *terminal.Terminal {
	m.t.Helper()
	term, err := terminal.New(m.Shell(argv...))
	must(m.t, err)
	m.t.Cleanup(term.Close)
	return term
}

// byPasswordAlone checks that a login needs nothing but the password, by the method that this
// sshd_config allows.
func (m machine) byPasswordAlone(first bool) {
	m.t.Helper()
	o := allowed(m.t, m.sshd,
		suite.Attempt{User: "alice", Password: suite.Password, PasswordFirst: first})
	if o.CodePrompts() != 0 {
		m.t.Errorf("a code was asked for: %q", o.Prompts)
	}
	o.Close()
}

func (m machine) login(codes ...string) suite.Attempt {
	return suite.Attempt{User: "alice", Password: suite.Password, Codes: codes}
}

// fence matches a block of commands in README.
var fence = regexp.MustCompile("(?s)```sh\n(.*?)```")

// firstCommands returns README's commands from the installation to the first protected login.
func firstCommands(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	must(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Install\n")
	block := fence.FindStringSubmatch(section)
	if !found || block == nil {
		t.Fatal("README has no commands under Install")
	}
	var commands []string
	for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
		command, _, _ := strings.Cut(line, "   #")
		commands = append(commands, strings.TrimSpace(command))
	}
	return commands
}

// installByREADME types what README says, and nothing else.
func (m machine) installByREADME(deb string) {
	m.t.Helper()
	m.put(deb)
	m.run("touch latchkey_1.0.1-1_arm64.deb") // as make packages leaves one beside it
	commands := firstCommands(m.t)
	if len(commands) > 3 {
		m.t.Errorf("README needs %d commands: %q", len(commands), commands)
	}
	for _, command := range commands {
		switch {
		case command == "enroll activate":
			m.activate()
		case strings.HasPrefix(command, "enroll "):
			m.setUp(m.terminal(strings.Fields(command)...), m.alice)
		default:
			m.run(command)
		}
	}
}

// activate types y, and confirms from the first login with a code, as README says.
func (m machine) activate() {
	t := m.t
	term := m.terminal("/usr/bin/enroll", "activate")
	typed(t, term, `\[y/N\] `, "y")
	if exit, err := term.Exit(); err != nil || exit != 0 ||
		!strings.Contains(term.Seen(), "root would not get in") {
		t.Fatalf("enroll activate: exit %d, %v: %q", exit, err, term.Seen())
	}
	m.run("echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice")
	first := allowed(t, m.sshd, m.login(m.alice.Code()))
	defer first.Close()
	if out, err := first.Output("sudo enroll activate --confirm"); err != nil ||
		!strings.Contains(out, "confirmed by alice") {
		t.Fatalf("%v: %s", err, out)
	}
	m.run("rm /etc/sudoers.d/alice\nenroll reset alice") // for codes that are not used yet
	must(t, m.alice.Enroll())
}

func TestPackageFromInstallationByREADMEToRemoval(t *testing.T) {
	t.Parallel()
	older, newer := debs(t)
	onMachines(t, func(m machine) {
		m.byPasswordAlone(true)
		byKey, root := suite.Attempt{User: "alice", Key: shared.Key},
			suite.Attempt{User: "root", Key: shared.Key}
		allowed(m.t, m.sshd, byKey).Close()
		allowed(m.t, m.sshd, root).Close()
		m.installByREADME(older)
		m.run("test \"$(id -u latchkey)\" -lt 1000\nenroll doctor")
		denied(m.t, m.sshd, byKey)
		denied(m.t, m.sshd, root)
		denied(m.t, m.sshd, m.login(m.alice.WrongCode()))
		byPassword := m.login()
		byPassword.PasswordFirst = true
		denied(m.t, m.sshd, byPassword)
		session := allowed(m.t, m.sshd, m.login(m.alice.Code()))
		if session.CodePrompts() != 1 {
			m.t.Errorf("asked for a code %d times: %q", session.CodePrompts(), session.Prompts)
		}
		m.enrollInsideTheFirstLogin()
		m.upgrade(newer, session)
		m.refuseRemoval()
		m.byPasswordAlone(true)
		m.purge(newer)
	})
}

// enrollInsideTheFirstLogin has bob, who has no device, set one up during the login itself, once
// the policy says so.
func (m machine) enrollInsideTheFirstLogin() {
	t := m.t
	bob, err := m.Named("bob")
	must(t, err)
	byBob := suite.Attempt{User: "bob", Password: suite.Password, Codes: []string{"123456"}}
	denied(t, m.sshd, byBob)
	m.run(`sed -i 's/^unenrolled = .*/unenrolled = "enroll"/' /etc/latchkey/latchkey.toml`)
	first, err := m.sshd.Terminal(suite.OpenSSH{User: "bob"}, "host")
	must(t, err)
	t.Cleanup(first.Close)
	typed(t, first, `Password: `, suite.Password)
	must(t, first.Expect(`Type the code that the app shows now. Verification code: `))
	must(t, bob.ReadSecret(first.Seen()))
	must(t, first.Type(bob.Code()))
	typed(t, first, `Press Enter when you have them: `, "")
	typed(t, first, `\$ `, "id -un")
	must(t, first.Expect("bob"))
	byBob.Codes = []string{bob.CodeAt(1)}
	allowed(t, m.sshd, byBob).Close()
}

// upgrade installs a newer package while a session is open, one login waits at the password and
// another one at the code.
func (m machine) upgrade(deb string, session *suite.Outcome) {
	t := m.t
	m.run("enroll reset alice") // for codes that are not used yet
	must(t, m.alice.Enroll())
	atPassword, err := m.sshd.Terminal(suite.OpenSSH{User: "alice"}, "host", "id")
	must(t, err)
	t.Cleanup(atPassword.Close)
	must(t, atPassword.Expect(`Password: `))
	waiting := m.login()
	// it is looked at after the upgrade
	waiting.Answer = func(string) (string, error) { return m.alice.CodeAt(-1), nil }
	waiting.AtCode = func() error {
		m.put(deb)
		_, err := m.sh("apt install ./" + filepath.Base(deb))
		return err
	}
	allowed(t, m.sshd, waiting).Close()
	out, err := m.Exec("", "/usr/bin/dpkg-query", "--show",
		"--showformat=${Version} ${Status}", "latchkey")
	if err != nil || out != "1.0.2-1 install ok installed" {
		t.Fatalf("after the upgrade: %q, %v", out, err)
	}
	must(t, atPassword.Type(suite.Password))
	must(t, atPassword.Expect(`From your app.*Verification code: `))
	must(t, atPassword.Type(m.alice.Code()))
	must(t, atPassword.Expect(`uid=\d+\(alice\)`))
	if out, err := session.Output("id -un"); err != nil || strings.TrimSpace(out) != "alice" {
		t.Errorf("the session that was open: %q, %v", out, err)
	}
	next := m.login(m.alice.CodeAt(1))
	next.AtCode = m.newModuleLoaded
	allowed(t, m.sshd, next).Close()
}

// newModuleLoaded checks that a process of a login has mapped the module that is installed now.
// Those of open sessions have the old one.
func (m machine) newModuleLoaded() error {
	all, err := m.Processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		files, _ := p.Mapped() // none: the process has ended meanwhile
		for _, file := range files {
			if strings.HasSuffix(file, "/pam_latchkey.so") { // rather than "… (deleted)"
				return nil
			}
		}
	}
	return errors.New("no process has the new module")
}

// byHint returns the hint that a refused removal gives.
var byHint = regexp.MustCompile(`(?m)sed -i .*$`)

// refuseRemoval checks that a removal is refused, with nothing changed, as long as sshd's stack
// needs the module; then it does what the hint says, and removes.
func (m machine) refuseRemoval() {
	t := m.t
	out, err := m.sh("apt remove -y latchkey")
	if err == nil || !strings.Contains(out, "let no one in: /etc/pam.d/sshd\n") {
		t.Fatalf("the removal was not refused: %v\n%s", err, out)
	}
	denied(t, m.sshd, m.login(m.alice.WrongCode()))
	m.run("cp /etc/pam.d/sshd /etc/pam.d/sshd.bak") // a copy is not a service
	m.run("cp /etc/ssh/sshd_config.d/00-latchkey.conf /root/")
	if !strings.Contains(out, "hint: enroll deactivate ") {
		t.Errorf("got %s, want a hint to enroll deactivate", out)
	}
	m.run("enroll deactivate")
	m.run("apt remove -y latchkey")
}

// purge checks that records outlive a purge unless root says otherwise.
func (m machine) purge(deb string) {
	t := m.t
	m.run("apt purge -y latchkey")
	m.run("test ! -e /etc/latchkey/latchkey.toml && test -s /etc/latchkey/users/alice && test " +
		"-s /var/lib/latchkey/key")
	m.run("apt install ./" + filepath.Base(deb) + "\nmv /etc/pam.d/sshd.bak /etc/pam.d/sshd\n" +
		"mv /root/00-latchkey.conf /etc/ssh/sshd_config.d/\nsystemctl reload ssh")
	// only a record that was kept can have codes
	codes, err := m.Exec("", "/usr/bin/enroll", "codes", "--user", "alice", "--yes")
	must(t, err)
	allowed(t, m.sshd, m.login(strings.Fields(codes)[0])).Close()
	m.removeUnpacked(deb)
	m.run("touch /etc/latchkey/purge-records\napt purge -y latchkey")
	m.run("test ! -e /etc/latchkey && test ! -e /var/lib/latchkey")
}

// removeUnpacked removes the package in a state in which dpkg does not ask it for permission: it
// must take its lines out, and say what else to type.
func (m machine) removeUnpacked(deb string) {
	m.t.Helper()
	out, err := m.sh("dpkg --unpack ./" + filepath.Base(deb) + "\ndpkg -r latchkey")
	if err != nil || !strings.Contains(out, "/etc/pam.d/sshd no longer asks for a code") ||
		!strings.Contains(out, "rm /etc/ssh/sshd_config.d/00-latchkey.conf") {
		m.t.Fatalf("%v: %s", err, out)
	}
	m.byPasswordAlone(false)
}

func TestProfileAsksForTheCodeOnceEverywhereAndIsRemovedWithThePackage(t *testing.T) {
	t.Parallel()
	older, newer := debs(t)
	onMachines(t, func(m machine) {
		m.put(older)
		m.run("apt install ./" + filepath.Base(older))
		m.byPasswordAlone(true)
		m.run("pam-auth-update --enable latchkey")
		m.run("cp /usr/share/latchkey/sshd.conf /etc/ssh/sshd_config.d/00-latchkey.conf\n" +
			"systemctl reload ssh")
		denied(m.t, m.sshd, m.login("123456"))
		m.enrollForOneself()
		if o := denied(m.t, m.sshd, suite.Attempt{
			User:     "alice",
			Password: "wrong",
			Codes:    []string{m.alice.Code()},
		}); o.CodePrompts() != 0 {
			m.t.Errorf("a code was asked for after a wrong password: %q", o.Prompts)
		}
		denied(m.t, m.sshd, m.login(m.alice.WrongCode()))
		m.put(newer)
		m.run("apt install ./" + filepath.Base(newer))
		if o := allowed(m.t, m.sshd, m.login(m.alice.CodeAt(1))); o.CodePrompts() != 1 {
			m.t.Errorf("asked for a code %d times: %q", o.CodePrompts(), o.Prompts)
		}
		m.sudo()
		m.run("enroll doctor")
		m.run("apt remove -y latchkey\n! grep -rE '^[^#]*pam_latchkey' /etc/pam.d")
		m.byPasswordAlone(false)
	})
}

// enrollForOneself checks that a user without a device is asked for the password alone, and one
// with a device for its code once.
func (m machine) enrollForOneself() {
	t := m.t
	first := m.terminal(as(m.alice, "/usr/bin/enroll")...)
	must(t, first.Expect(`Password: `))
	must(t, first.Type(suite.Password))
	m.setUp(first, m.alice)
	codes := m.terminal(as(m.alice, "/usr/bin/enroll", "codes")...)
	must(t, codes.Expect(`Password: `))
	must(t, codes.Type(suite.Password))
	must(t, codes.Expect(`Code from a device`))
	must(t, codes.Type(m.alice.Code()))
	exit, err := codes.Exit()
	if err != nil || exit != 0 || strings.Count(codes.Seen(), "Code from") != 1 {
		t.Errorf("enroll codes: exit %d, %v: %q", exit, err, codes.Seen())
	}
}

// sudo also asks for the caller's code, once.
func (m machine) sudo() {
	t := m.t
	m.run("enroll reset alice") // for codes that are not used yet
	must(t, m.alice.Enroll())
	m.run("echo 'alice ALL=(ALL) ALL' >/etc/sudoers.d/alice")
	for code, exit := range map[string]int{m.alice.WrongCode(): 1, m.alice.Code(): 0} {
		term := m.terminal(as(m.alice, "/usr/bin/sudo", "-k", "/usr/bin/id")...)
		must(t, term.Expect(`[Pp]assword`))
		must(t, term.Type(suite.Password))
		must(t, term.Expect(`From your app.*Verification code: `))
		must(t, term.Type(code))
		if exit == 0 {
			must(t, term.Expect(`uid=0\(root\)`))
			continue
		}
		must(t, term.Expect(`Not accepted`))
		term.Close()
	}
}
