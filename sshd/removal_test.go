package sshd_test

import (
	"path/filepath"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// beside writes standard input into sshd's stack, behind the password; code writes a file of its
// own.
const beside = `
beside() {
	sed '/^@include common-auth$/q' /etc/pam.d/sshd >/tmp/stack
	cat >>/tmp/stack
	sed '1,/^@include common-auth$/d' /etc/pam.d/sshd >>/tmp/stack
	cat /tmp/stack >/etc/pam.d/sshd
}
code() {
	mkdir -p "$(dirname "$1")"
	echo 'auth required pam_latchkey.so' >"$1"
}
dir=$(dirname /usr/lib/*/security/pam_unix.so)
`

// naming is a way in which a PAM stack can name the module, as a script that writes it, and the
// file that the removal has to name.
type naming struct {
	name, script, file string
	harmless           bool // the stack accepts passwords without the module too
}

// namings are all that Linux-PAM 1.5 and 1.7 understand.
var namings = []naming{
	{"required", `echo 'auth required pam_latchkey.so' | beside`, sshdFile, false},
	{"a dash", `echo '-auth required pam_latchkey.so' | beside`, sshdFile, false},
	{"brackets", `echo 'auth [success=ok default=die] pam_latchkey.so' | beside`, sshdFile, false},
	{"brackets and no blank", `echo '-auth [success=ok default=die]pam_latchkey.so' | beside`,
		sshdFile, false},
	{"pairs without brackets", `echo 'auth success=ok pam_latchkey.so' | beside`, sshdFile, false},
	{"the module in brackets", `echo 'auth [required] [pam_latchkey.so]' | beside`, sshdFile,
		false},
	{"an absolute path", `echo "auth required $dir/pam_latchkey.so" | beside`, sshdFile, false},
	{"a relative path", `echo 'auth required ../security/pam_latchkey.so' | beside`, sshdFile,
		false},
	{"$ISA", `echo "auth required $dir/\$ISA/pam_latchkey.so" | beside`, sshdFile, false},
	{"tabs, capitals, a bracketed argument and a comment",
		`printf '\tAUTH\tRequired\tpam_latchkey.so [debug] # code\n' | beside`, sshdFile, false},
	{"two lines", `printf 'auth required \\ \n   pam_latchkey.so\n' | beside`, sshdFile, false},
	{"three lines, with a dash",
		`printf -- '-auth \\\n required pam_latchkey.so \\\n debug\n' | beside`, sshdFile, false},
	{"optional", `echo 'auth optional pam_latchkey.so' | beside`, sshdFile, true},
	{"account", `echo '-account required pam_latchkey.so' | beside`, sshdFile, false},
	{"@include", `echo '@include code' | beside; code /etc/pam.d/code`, "/etc/pam.d/code", false},
	{"@include from a subfolder", `echo '@include sub/code' | beside; code /etc/pam.d/sub/code`,
		"/etc/pam.d/sub/code", false},
	{"include from a subfolder", `echo 'auth include sub/code' | beside; code /etc/pam.d/sub/code`,
		"/etc/pam.d/sub/code", false},
	{"substack", `echo '-auth [substack] sub/code' | beside; code /etc/pam.d/sub/code`,
		"/etc/pam.d/sub/code", false},
	{"an include of an include", `echo '@include a/b' | beside; code /etc/pam.d/a/c
		echo 'auth substack a/c' >/etc/pam.d/a/b`, "/etc/pam.d/a/c", false},
	{"an absolute include", `echo '@include /etc/latchkey/code' | beside; code /etc/latchkey/code`,
		"/etc/latchkey/code", false},
	{"a copy that is included", `echo '@include code.bak' | beside; code /etc/pam.d/code.bak`,
		"/etc/pam.d/code.bak", false},
	{"a file in capitals", `echo '@include Code' | beside; code /etc/pam.d/Code`,
		"/etc/pam.d/Code", false},
	{"a linked service", `echo 'auth required pam_latchkey.so' | beside
		mv /etc/pam.d/sshd /etc/latchkey/sshd; ln -s ../latchkey/sshd /etc/pam.d/sshd`,
		sshdFile, false},
	{"common-auth by hand", `echo 'auth required pam_latchkey.so' >>/etc/pam.d/common-auth`,
		"/etc/pam.d/common-auth", false},
	{"the distribution's folder", `echo 'auth required pam_latchkey.so' | beside
		mv /etc/pam.d/sshd /usr/lib/pam.d/sshd`, "/usr/lib/pam.d/sshd", false},
	{"a link to the module", `ln -s pam_latchkey.so $dir/pam_2fa.so
		echo 'auth required pam_2fa.so' | beside`, sshdFile, false},
	{"a copy of the module", `cp $dir/pam_latchkey.so $dir/pam_2fa.so
		echo '-auth required pam_2fa.so' | beside`, sshdFile, false},
	{"pam.conf", `echo 'sshd auth required pam_latchkey.so' >>/etc/pam.conf`, "/etc/pam.conf",
		true},
}

const sshdFile = "/etc/pam.d/sshd"

// aside moves away what a removal takes away: the module and its login program. back moves it
// back.
const aside = "\nmv $dir/pam_latchkey.so /root/module; mv /usr/libexec/latchkey/latchkey-login " +
	"/root/login\n"
const back = "\nmv /root/module $dir/pam_latchkey.so; mv /root/login " +
	"/usr/libexec/latchkey/latchkey-login\n"

const (
	keepStacks = "cp -a /etc/pam.d /root/pam.d; cp -a /etc/pam.conf /root/pam.conf\n" +
		"mkdir -p /usr/lib/pam.d\n"
	restoreStacks = "rm -rf /etc/pam.d /usr/lib/pam.d /etc/latchkey/code /etc/latchkey/sshd " +
		"$dir/pam_2fa.so\n" +
		"mv /root/pam.d /etc/pam.d; mv /root/pam.conf /etc/pam.conf\n"
	untouched = "test -s $dir/pam_latchkey.so && test -u /usr/bin/enroll && " +
		"dpkg-query -W -f '${Status}' latchkey | grep -q ' ok installed$'"
)

// refused checks that a removal is refused, with the file named, and then does what it is told.
// Passwords work without the module afterwards, and did not before.
func (n naming) refused(m machine) {
	m.t.Helper()
	out, err := m.sh(beside + keepStacks + n.script + "\ndpkg -r latchkey")
	if want := "let no one in: " + n.file + "\n"; err == nil || !strings.Contains(out, want) {
		m.t.Fatalf("%s: the removal was not refused: got %v, %q, want %q", n.name, err, out, want)
	}
	m.run(beside + untouched + aside)
	if !n.harmless {
		denied(m.t, m.sshd, suite.Attempt{User: "alice", Password: suite.Password,
			PasswordFirst: true})
	}
	m.run(beside + back + byHint.FindString(out) + "\nenroll removable" + aside)
	m.byPasswordAlone(true)
	m.run(beside + back + restoreStacks)
}

// harmlessNames only look as if they named the module.
const harmlessNames = `echo '# auth required pam_latchkey.so \' | beside
echo '-auth optional my_pam_latchkey.so' | beside
echo '-auth optional pam_latchkey.so.off' | beside
echo 'auth optional pam_warn.so # pam_latchkey.so' | beside
for copy in sshd~ sshd.dpkg-old sshd.rpmsave sshd.bak; do
	echo 'auth required pam_latchkey.so' >/etc/pam.d/$copy
done
mkdir /etc/pam.d/unused; echo 'auth required pam_latchkey.so' >/etc/pam.d/unused/code
mkdir -p /usr/lib/pam.d; echo 'auth required pam_latchkey.so' >/usr/lib/pam.d/sshd
ln -s /dev/null /etc/pam.d/masked
`

// FAULTS 44: however the module is named, a removal is refused with the file named, or passwords
// work afterwards.
func TestPackageRemovalNeverLocksAnyoneOut(t *testing.T) {
	t.Parallel()
	older, newer := debs(t)
	onMachines(t, func(m machine) {
		m.put(older)
		m.put(newer)
		m.run("dpkg -i " + filepath.Base(older))
		for _, n := range namings {
			n.refused(m)
		}
		m.cannotTell()
		m.run(beside + harmlessNames)
		m.byPasswordAlone(true)
		m.run("dpkg -i " + filepath.Base(newer) +
			"\napt remove -y latchkey\ntest ! -e /usr/bin/enroll")
		m.byPasswordAlone(true)
		m.run("grep -q pam_latchkey /etc/pam.d/unused/code\ndpkg -i " + filepath.Base(newer))
		m.insisted(newer)
		m.insistedWhileActive(newer)
	})
}

// cannotTell checks that removals are refused where a file cannot be read, or enroll does not run.
func (m machine) cannotTell() {
	m.t.Helper()
	for script, says := range map[string][2]string{
		"ln -s loop /etc/pam.d/loop": {"still needed: /etc/pam.d/loop: ", "rm /etc/pam.d/loop"},
		"mkfifo /etc/pam.d/pipe": {"still needed: /etc/pam.d/pipe: not a regular file",
			"rm /etc/pam.d/pipe"},
		"mv /usr/bin/enroll /root/saved": {"/usr/bin/enroll does not run",
			"mv /root/saved /usr/bin/enroll"},
	} {
		m.run(script)
		out, err := m.sh("apt purge -y latchkey")
		if err == nil || !strings.Contains(out, says[0]) {
			m.t.Errorf("%s: got %v, %q, want %q", script, err, out, says[0])
		}
		m.run(says[1])
	}
}

// insisted checks that passwords work where root has the package removed all the same, and where
// dpkg asks it nothing.
func (m machine) insisted(deb string) {
	m.t.Helper()
	const lines = "printf 'auth required \\\\\\n pam_latchkey.so\\n" +
		"-auth required pam_latchkey.so\\n' | beside\n"
	for _, remove := range []string{"export LATCHKEY_REMOVE_ANYWAY=1; apt purge -y latchkey",
		"pam-auth-update --enable latchkey; dpkg --unpack " + filepath.Base(deb) +
			"; dpkg -r latchkey"} {
		out, err := m.sh(beside + lines + remove)
		if want := "/etc/pam.d/sshd no longer asks for a code"; err != nil ||
			!strings.Contains(out, want) {
			m.t.Fatalf("%s: got %v, %q, want %q", remove, err, out, want)
		}
		m.run("grep -q '^-auth required pam_latchkey.so' /etc/pam.d/sshd.dpkg-old\n" +
			"! grep -E '^[^#]*[[:space:]]pam_latchkey\\.so( |$)' /etc/pam.d/sshd " +
			"/etc/pam.d/common-auth")
		m.byPasswordAlone(true)
		m.run("dpkg -i " + filepath.Base(deb))
	}
}

// jumping is a stack in which a right password ends the login, so enroll activate writes lines that
// jump to the module's.
const jumping = `printf 'auth sufficient pam_unix.so nodelay\nauth required pam_deny.so\n' >/tmp/sshd
grep -v auth /etc/pam.d/sshd >>/tmp/sshd
cat /tmp/sshd >/etc/pam.d/sshd
`

// insistedWhileActive checks the same after enroll activate, whose lines do not work without those
// of the module, or are all of latchkey.
func (m machine) insistedWhileActive(deb string) {
	m.t.Helper()
	m.run("rm -rf /usr/lib/pam.d /var/lib/latchkey/activation\n" + jumping +
		"cp /etc/pam.d/sshd /root/jumping; cp /etc/ssh/sshd_config /root")
	must(m.t, m.alice.Enroll())
	const anyway, edit = "export LATCHKEY_REMOVE_ANYWAY=1; dpkg -r latchkey",
		"echo '# mine' >>/etc/pam.d/sshd\n"
	const putBack = "/etc/pam.d/sshd no longer asks for a code: it is as it was before"
	for remove, says := range map[string]string{
		anyway: "/etc/pam.d/sshd: as it was before", edit + anyway: putBack,
		"dpkg --unpack " + filepath.Base(deb) + "; dpkg -r latchkey": putBack,
	} {
		m.run("enroll activate --yes")
		denied(m.t, m.sshd, m.login(m.alice.WrongCode()))
		if out, err := m.sh(remove); err != nil || !strings.Contains(out, says) {
			m.t.Fatalf("%s: got %v, %q, want %q", remove, err, out, says)
		}
		m.run("cmp /etc/pam.d/sshd /root/jumping")
		m.byPasswordAlone(true)
		m.run("dpkg -i " + filepath.Base(deb) + "\nenroll deactivate")
	}
}
