package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/doctor/server"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// put writes a file below root.
func put(t *testing.T, root, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root+path, mode); err != nil {
		t.Fatal(err)
	}
}

const goodStack = "auth requisite pam_unix.so\nauth required pam_latchkey.so\n"

// goodSSHD is what sshd -T says on a machine that is configured as README says.
const goodSSHD = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\n" +
	"pubkeyauthentication yes\n" +
	"hostbasedauthentication no\ngssapiauthentication no\n" +
	"authenticationmethods publickey,keyboard-interactive keyboard-interactive\n"

// installed is a machine on which everything is as it should be.
func installed(t *testing.T, root string) {
	t.Helper()
	laid(t, root)
	put(t, root, "/etc/pam.d/sshd", goodStack, 0o644)
	sshdSays(t, root, goodSSHD)
}

// sshdSays makes a stand-in for sshd that gives every question the same answer, or answers by
// connection: what follows a line "-- TEXT" is the answer to a spec that has TEXT in it. Traces
// begin with debug.
func sshdSays(t *testing.T, root, answers string) {
	t.Helper()
	var script strings.Builder
	script.WriteString("#!/bin/sh\ncase \"$*\" in\n")
	parts := strings.Split(answers, "-- ")
	for _, part := range append(parts[1:], "\n"+parts[0]) {
		pattern, answer, _ := strings.Cut(part, "\n")
		if pattern != "" {
			pattern = "'" + pattern + "'"
		}
		fmt.Fprintf(&script, "*%s*) grep ^debug >&2 <<'END'\n%sEND\ngrep -v ^debug <<'END'\n"+
			"%sEND\n;;\n", pattern, answer, answer)
	}
	script.WriteString("esac\nexit 0\n")
	put(t, root, "/usr/sbin/sshd", script.String(), 0o755)
}

// examine looks at the machine below root.
func examine(t *testing.T, root string) []Finding {
	t.Helper()
	return doctorFor(root, "sshd").Run()
}

func doctorFor(root, service string) Doctor {
	return Doctor{
		Root: root, Service: service, Clock: time.Now,
		Keyring: factor.NewKeyring(root, safefile.Patience{Limit: time.Minute}),
		LookUp: func(string) (record.User, error) {
			return record.User{}, errors.New("no such user")
		},
		Remedy: func(error) string { return "" },
	}
}

// complaints are the errors among findings, and warnings but those about this very machine's
// clock.
func complaints(found []Finding) []string {
	var all []string
	for _, f := range found {
		if f.Status == Error || f.Status == Warning && f.Check != "this machine's clock" {
			all = append(all, fmt.Sprintf("%s: %s: %s", f.Status, f.Check, f.Detail))
		}
	}
	return all
}

func TestDoctorFindsNothingWrongWhereNothingIs(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	found := examine(t, root)
	if got := complaints(found); len(got) > 0 {
		t.Errorf("%q", got)
	}
	for _, want := range []string{"/etc/latchkey/latchkey.toml", "/usr/bin/enroll",
		"sshd asks for the code on every way in"} {
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return f.Check == want && f.Status == OK
		}) {
			t.Errorf("nothing about %s in %v", want, found)
		}
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	edit := func(old, new string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			sshdSays(t, root, strings.Replace(goodSSHD, old, new, 1))
		}
	}
	file := func(path, text string, mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, root string) { put(t, root, path, text, mode) }
	}
	const any, all = "authenticationmethods publickey,keyboard-interactive keyboard-interactive",
		"authenticationmethods any"
	for name, c := range map[string]struct {
		spoil func(t *testing.T, root string)
		says  string // of one complaint, the only one
	}{
		"no module": {func(t *testing.T, root string) {
			remove(t, root+"/usr/lib/x86_64-linux-gnu/security/pam_latchkey.so")
		}, "error: pam_latchkey.so: not where"},
		"a module anyone writes": {file("/usr/lib/x86_64-linux-gnu/security/pam_latchkey.so",
			"", 0o666), "error: /usr/lib/x86_64-linux-gnu/security/pam_latchkey.so: "},
		"no login program": {func(t *testing.T, root string) {
			remove(t, root+programs[0])
		}, "error: " + programs[0] + ": "},
		"one that does not start": {file(programs[0], "", 0o644), "lacks 0100"},
		"enroll without setuid": {file("/usr/bin/enroll", "", 0o755),
			"error: /usr/bin/enroll: mode 0755 lacks 4000"},
		"open records": {func(t *testing.T, root string) {
			chmod(t, root+"/etc/latchkey/users", 0o755)
		}, "error: /etc/latchkey/users: mode 0755 gives others access"},
		"a damaged key": {file("/var/lib/latchkey/key", "x", 0o600),
			"error: /var/lib/latchkey/key: "},
		"a key others can read": {file("/var/lib/latchkey/key", "x", 0o640),
			"error: /var/lib/latchkey/key: "},
		"a damaged record": {file("/etc/latchkey/users/root", "x", 0o600),
			"error: /etc/latchkey/users/root: "},
		"a policy with a mistake": {file("/etc/latchkey/latchkey.toml", "x = 1\n", 0o644),
			"error: /etc/latchkey/latchkey.toml: "},
		"the unenrolled let in": {file("/etc/latchkey/latchkey.toml",
			"unenrolled = \"allow\"\n", 0o644), "warning: /etc/latchkey/latchkey.toml: users " +
			"who have not enrolled"},
		"the unenrolled for a while": {file("/etc/latchkey/latchkey.toml",
			"enroll_by = 9999-12-31\n", 0o644), "warning: /etc/latchkey/latchkey.toml: until " +
			"9999-12-31"},

		"no pam_latchkey": {file("/etc/pam.d/sshd", "auth required pam_unix.so\n",
			0o644), "error: PAM service sshd: it has no pam_latchkey"},
		"optional": {file("/etc/pam.d/sshd",
			"auth requisite pam_unix.so\nauth optional pam_latchkey.so\n", 0o644),
			"error: /etc/pam.d/sshd:2: a login succeeds although"},
		"sufficient above": {file("/etc/pam.d/sshd",
			"auth sufficient pam_rootok.so\n"+goodStack, 0o644),
			"error: /etc/pam.d/sshd:1: pam_rootok.so that returns success leaves out " +
				"/etc/pam.d/sshd:3"},
		"required password": {file("/etc/pam.d/sshd",
			"auth required pam_unix.so\nauth required pam_latchkey.so\n", 0o644),
			"error: /etc/pam.d/sshd:1: pam_unix.so goes on"},
		"no password": {file("/etc/pam.d/sshd",
			"auth required pam_latchkey.so\n", 0o644), "error: /etc/pam.d/sshd:1: the code is " +
			"asked for, or sent, before"},
		"no one gets in": {file("/etc/pam.d/sshd",
			goodStack+"auth required pam_deny.so\n", 0o644),
			"error: /etc/pam.d/sshd:2: no one can log in"},
		"an unknown module": {file("/etc/pam.d/sshd",
			"auth requisite pam_strange.so\nauth required pam_latchkey.so\n", 0o644),
			"warning: /etc/pam.d/sshd:1: if pam_strange.so does not"},
		"a misspelt control": {file("/etc/pam.d/sshd", "auth requird pam_unix.so\n",
			0o644), `/etc/pam.d/sshd:1: unknown control "requird"`},
		"an unknown argument": {file("/etc/pam.d/sshd",
			"auth requisite pam_unix.so\nauth required pam_latchkey.so nullok\n", 0o644),
			`error: /etc/pam.d/sshd:2: pam_latchkey does not take "nullok"`},
		"another policy": {file("/etc/pam.d/sshd",
			"auth requisite pam_unix.so\nauth required pam_latchkey.so conf=/etc/x\n", 0o644),
			"error: /etc/x: "},
		"in session": {file("/etc/pam.d/sshd",
			goodStack+"session required pam_latchkey.so\n", 0o644),
			"error: /etc/pam.d/sshd:3: pam_latchkey does not provide session"},
		"a service file anyone writes": {file("/etc/pam.d/sshd", goodStack, 0o666),
			"error: PAM service sshd: "},
		"another service": {file("/etc/pam.d/sudo",
			"auth [success=done default=die] pam_unix.so\nauth required pam_latchkey.so\n",
			0o644), "error: /etc/pam.d/sudo:1: pam_unix.so that returns"},
		"another, unreadable": {file("/etc/pam.d/sudo",
			"auth required\n# pam_latchkey\n", 0o644), "error: PAM service sudo: " +
			"/etc/pam.d/sudo:1: no module"},
		"enroll itself": {file("/etc/pam.d/enroll", "auth required\n", 0o644),
			"error: PAM service enroll: /etc/pam.d/enroll:1: no module"},

		"UsePAM no": {edit("usepam yes", "usepam no"), "error: sshd: UsePAM no"},
		"no keyboard-interactive": {edit("keyboard-interactive", "publickey"),
			"error: sshd: AuthenticationMethods has publickey,publickey"},
		"a key alone": {edit(any, all), "error: sshd: PubkeyAuthentication yes " +
			"and no AuthenticationMethods: publickey alone"},
		"a key alone by a list": {edit(" keyboard-interactive\n", " publickey\n"),
			"error: sshd: AuthenticationMethods has publickey, which"},
		"no way in": {edit("pubkeyauthentication yes",
			"pubkeyauthentication no\nauthenticationmethods publickey"),
			"error: sshd: no one can log in"},
		"sshd that cannot be read": {file("/usr/sbin/sshd",
			"#!/bin/sh\necho debug >&2; echo Bad option >&2; exit 255\n", 0o755),
			"error: sshd: sshd -T: exit status 255: Bad option"},
		"sshd that says nothing": {edit("usepam yes", ""), "error: sshd: sshd -T does not say"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			installed(t, root)
			c.spoil(t, root)
			found := examine(t, root)
			got := complaints(found)
			if len(got) != 1 || !strings.Contains(got[0], c.says) {
				t.Errorf("%q, not %q alone", got, c.says)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// The first answer of an option counts in sshdSays' answers as in sshd's own, so these begin
// with what differs.
func TestDoctorReportsEveryWayPastSSHD(t *testing.T) {
	const open = "passwordauthentication yes\nhostbasedauthentication yes\n" +
		"gssapiauthentication yes\nkbdinteractiveauthentication no\nauthenticationmethods any\n"
	root := t.TempDir()
	installed(t, root)
	sshdSays(t, root, open+goodSSHD)
	found := examine(t, root)
	got := strings.Join(complaints(found), "\n")
	for _, want := range []string{"PubkeyAuthentication yes and no",
		"HostbasedAuthentication yes and no", "GSSAPIAuthentication yes and no",
		"PasswordAuthentication yes: sshd's older method",
		"KbdInteractiveAuthentication no: no one"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// Where a key comes first on every way, the stack need not ask for a password.
func TestACodeAloneIsRightBehindAKeyAndWrongBesideIt(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/pam.d/sshd", "auth required pam_latchkey.so\n", 0o644)
	for methods, want := range map[string]int{
		"publickey,keyboard-interactive":                      0,
		"publickey,keyboard-interactive:pam":                  0,
		"keyboard-interactive,publickey":                      1,
		"publickey,keyboard-interactive keyboard-interactive": 1,
	} {
		sshdSays(t, root, "authenticationmethods "+methods+"\n"+goodSSHD)
		if found := examine(t, root); len(complaints(found)) != want {
			t.Errorf("%s: %q", methods, complaints(found))
		}
	}
}

// A key that comes first is no excuse for a code that is not needed, nor where a Match line
// takes it away again.
func TestAKeyThatComesFirstExcusesNothingElse(t *testing.T) {
	const first = "authenticationmethods publickey,keyboard-interactive\n" + goodSSHD
	root := t.TempDir()
	installed(t, root)
	sshdSays(t, root, first)
	put(t, root, "/etc/pam.d/sshd", "auth required pam_permit.so\n"+
		"auth optional pam_latchkey.so\n", 0o644)
	if got := fmt.Sprint(complaints(examine(t, root))); !strings.Contains(got,
		"sshd:2: a login succeeds although") {
		t.Errorf("optional: %s", got)
	}
	put(t, root, "/etc/pam.d/sshd", "auth required pam_unix.so\nauth required pam_latchkey.so\n",
		0o644)
	if got := fmt.Sprint(complaints(examine(t, root))); !strings.Contains(got,
		"sshd:1: pam_unix.so goes on") {
		t.Errorf("required password: %s", got)
	}
	put(t, root, "/etc/pam.d/sshd", "auth required pam_latchkey.so\n", 0o644)
	if got := complaints(examine(t, root)); len(got) != 0 {
		t.Errorf("with a key for all: %q", got)
	}
	put(t, root, server.Config, "Match User bob\nAuthenticationMethods keyboard-interactive\n",
		0o644)
	sshdSays(t, root, "debug3: checking syntax for 'Match User bob'\n"+first+"-- user=bob\n"+
		"debug3: checking match for 'User bob' user bob host h addr 192.0.2.1 laddr (null) "+
		"lport 0\ndebug3: match found\n"+
		"authenticationmethods keyboard-interactive\n"+goodSSHD)
	if got := fmt.Sprint(complaints(examine(t, root))); !strings.Contains(got,
		"sshd:1: the code is asked for, or sent, before") {
		t.Errorf("without one for bob: %s", got)
	}
}

func TestAPeriodToEnrollThatIsOverLetsNoOneIn(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/latchkey/latchkey.toml", "enroll_by = 2020-12-31\n", 0o644)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("%q", complaints(found))
	}
}

func TestDoctorNamesAtMostTenRecords(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	for i := range mostProblems + 2 {
		put(t, root, fmt.Sprintf("/etc/latchkey/users/gone-%d", i), "", 0o600)
	}
	found := examine(t, root)
	if got := complaints(found); len(got) != mostProblems+1 ||
		!strings.Contains(got[mostProblems], "2 more records") {
		t.Errorf("%q", got)
	}
}

func TestDoctorReportsTemporaryFilesThatAreLeftOver(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/latchkey/users/.new-1", "", 0o600)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("one just written: %q", complaints(found))
	}
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(root+"/etc/latchkey/users/.new-1", hour, hour); err != nil {
		t.Fatal(err)
	}
	found := examine(t, root)
	if got := complaints(found); len(got) != 1 || !strings.Contains(got[0], "warning: "+
		"/etc/latchkey/users: 1 temporary") {
		t.Errorf("%q", got)
	}
}

func TestDoctorLooksAtOneServiceAlone(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/pam.d/sshd", "auth required pam_unix.so\n", 0o644)
	put(t, root, "/etc/pam.d/su", "auth sufficient pam_rootok.so\n"+goodStack+"account "+
		"required pam_unix.so\naccount required pam_latchkey.so\n", 0o644)
	if found := doctorFor(root, "su").Run(); len(complaints(found)) != 0 {
		t.Errorf("su: %q", complaints(found))
	}
	for _, name := range []string{"sshd", "login"} { // login: neither it nor other is there
		if found := doctorFor(root, name).Run(); len(complaints(found)) != 1 {
			t.Errorf("%s: %q", name, complaints(found))
		}
	}
}

func TestDoctorLooksAtEveryServiceThatSSHDUses(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, server.Config, "Match User bob\nPAMServiceName two\n", 0o644)
	sshdSays(t, root, "debug3: checking syntax for 'Match User bob'\n"+
		"pamservicename one\n"+goodSSHD+"-- user=bob\n"+
		"debug3: checking match for 'User bob' user bob host h addr 192.0.2.1 laddr (null) "+
		"lport 0\ndebug3: match found\n"+
		"authenticationmethods publickey,keyboard-interactive\npamservicename two\n"+goodSSHD)
	put(t, root, "/etc/pam.d/one", goodStack, 0o644)
	put(t, root, "/etc/pam.d/two", "auth required pam_latchkey.so\n", 0o644)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("%q", complaints(found))
	}
	put(t, root, "/etc/pam.d/one", "auth required pam_latchkey.so\n", 0o644)
	put(t, root, "/etc/pam.d/two", "auth required pam_unix.so\n", 0o644)
	found := examine(t, root)
	if got := complaints(found); len(got) != 2 ||
		!strings.HasPrefix(got[0], "error: /etc/pam.d/one:1: the code is asked for") ||
		!strings.HasPrefix(got[1], "error: PAM service two: it has no pam_latchkey") {
		t.Errorf("%q", got)
	}
}

// FAULTS 43: a rule for the one service that sshd uses is for everyone; for one of two it is not.
func TestRuleForTheServiceThatSSHDUsesIsForEveryone(t *testing.T) {
	const policy = "[[rule]]\nservices = [\"one\"]\nrequire = \"%s\"\n"
	root := t.TempDir()
	installed(t, root)
	for _, service := range []string{"one", "two"} {
		put(t, root, "/etc/pam.d/"+service, goodStack, 0o644)
	}
	for _, c := range []struct{ used, require, want string }{
		{"one", "none", "this rule lets everyone in without a code"},
		{"one", "deny", "this rule keeps everyone out"},
		{"two", "none", ""},
		{"two", "deny", ""},
		{"sshd", "none", ""},
	} {
		put(t, root, "/etc/latchkey/latchkey.toml", fmt.Sprintf(policy, c.require), 0o644)
		sshdSays(t, root, "pamservicename "+c.used+"\n"+goodSSHD)
		got := strings.Join(complaints(examine(t, root)), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s, %s: got %q, want %q", c.used, c.require, got, c.want)
		}
	}
	put(t, root, "/etc/latchkey/latchkey.toml", fmt.Sprintf(policy, "none"), 0o644)
	put(t, root, server.Config, "Match User bob\nPAMServiceName one\n", 0o644)
	sshdSays(t, root, "debug3: checking syntax for 'Match User bob'\n"+
		"pamservicename two\n"+goodSSHD+"-- user=bob\n"+
		"debug3: checking match for 'User bob' user bob host h addr 192.0.2.1 laddr (null) "+
		"lport 0\ndebug3: match found\npamservicename one\n"+goodSSHD)
	if got := complaints(examine(t, root)); len(got) != 0 {
		t.Errorf("one of two: got %q", got)
	}
}

// Its lines count once for services that have no file, and twice for one of that name.
func TestDoctorKnowsThatPAMGoesTwiceThroughAServiceNamedOther(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/pam.d/other", goodStack+"account required pam_unix.so\n", 0o644)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("for others: got %q", complaints(found))
	}
	for _, name := range []string{"other", "Other"} {
		sshdSays(t, root, "pamservicename "+name+"\n"+goodSSHD)
		got := complaints(examine(t, root))
		if len(got) != 1 || !strings.Contains(got[0], "PAM service other: as the service of sshd") {
			t.Errorf("PAMServiceName %s: got %q", name, got)
		}
	}
	sshdSays(t, root, "pamservicename SSHD\n"+goodSSHD)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("PAMServiceName SSHD: got %q", complaints(found))
	}
}

func TestAMachineWithoutSSHDNeedsNoServiceForIt(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	remove(t, root+"/usr/sbin/sshd")
	remove(t, root+"/etc/pam.d/sshd")
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("%q", complaints(found))
	}
	put(t, root, "/etc/pam.d/login", "auth requisite pam_unix.so\n"+
		"auth optional pam_latchkey.so\n", 0o644)
	if found := examine(t, root); len(complaints(found)) != 1 {
		t.Errorf("login: %q", complaints(found))
	}
}

func TestAPartOfOtherServicesNeedsNoPasswordOfItsOwn(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/pam.d/the-code", "auth required pam_latchkey.so\n", 0o644)
	if found := examine(t, root); len(complaints(found)) != 1 {
		t.Errorf("on its own: %q", complaints(found))
	}
	put(t, root, "/etc/pam.d/sudo", "auth requisite pam_unix.so\n@include the-code\n", 0o644)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("as a part: %q", complaints(found))
	}
}

func TestAClockThatNothingKeepsRightIsAWarning(t *testing.T) {
	for name, c := range map[string]struct {
		synchronized bool
		err          error
		want         Status
	}{"kept": {true, nil, OK}, "not kept": {false, nil, Warning},
		"not known": {true, errors.New("no"), Warning}} {
		if f := checkClock(func() (bool, error) {
			return c.synchronized, c.err
		}); f.Status != c.want {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestDoctorDoesNotMindTheModuleInEnrollsOwnService(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/etc/pam.d/enroll", goodStack, 0o644)
	if found := examine(t, root); len(complaints(found)) != 0 {
		t.Errorf("%q", complaints(found))
	}
}
