package removable

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/doctor/stack/stacktest"
)

// needed is what needsBelow says, one "file:from-to" or "file: error" each.
func needed(root string) []string {
	var all []string
	for _, n := range needsBelow(root) {
		if n.err != nil {
			all = append(all, n.file+": error")
		} else {
			all = append(all, fmt.Sprintf("%s:%d-%d", n.file, n.from, n.to))
		}
	}
	return all
}

// FAULTS 44: whichever way the module is named, the place is found; and nothing that only looks
// like it.
func TestEveryWayToNameTheModuleIsANeed(t *testing.T) {
	const sshd = "/etc/pam.d/sshd:\n"
	for name, c := range map[string]struct {
		files string
		want  string // separated by blanks
	}{
		"required": {sshd + "auth required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"below others": {sshd +
			"# PAM\n\n@include common-auth\nauth required pam_latchkey.so debug\n",
			"/etc/pam.d/sshd:4-4"},
		"with a dash": {sshd + "-auth required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"optional, with a dash": {sshd + "-auth\toptional\tpam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"brackets": {sshd + "auth [success=ok default=die] pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"no blank behind them": {sshd + "auth [default=die]pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"pairs without brackets": {sshd + "auth success=ok pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"the module in brackets": {sshd + "auth required [pam_latchkey.so]\n",
			"/etc/pam.d/sshd:1-1"},
		"an absolute path": {sshd +
			"auth required /usr/lib/x86_64-linux-gnu/security/pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"$ISA": {sshd + "auth required /lib/security/$ISA/pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"a relative path": {sshd + "auth required ../security/pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"capitals": {sshd + "AUTH Required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"account": {sshd + "account required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"session": {sshd + "session required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"password": {sshd + "password required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1"},
		"bracketed arguments": {sshd + "auth required pam_latchkey.so [conf=/etc/a b.toml]\n",
			"/etc/pam.d/sshd:1-1"},
		"if_publickey": {sshd +
			"auth [success=1 default=ignore] pam_latchkey.so if_publickey\n",
			"/etc/pam.d/sshd:1-1"},
		"no newline at the end": {sshd + "auth required pam_latchkey.so",
			"/etc/pam.d/sshd:1-1"},
		"a comment behind it": {sshd + "auth required pam_latchkey.so#x\n",
			"/etc/pam.d/sshd:1-1"},
		"Windows": {sshd + "auth required pam_latchkey.so\r\n",
			"/etc/pam.d/sshd:1-1"},
		"on two lines": {sshd + "#\nauth required \\\n    pam_latchkey.so\n",
			"/etc/pam.d/sshd:2-3"},
		"on three": {sshd +
			"auth \\ \nrequired\\\n\tpam_latchkey.so\nauth required pam_permit.so\n",
			"/etc/pam.d/sshd:1-3"},
		"a comment in between": {sshd + "auth required \\\n# comment\n\n pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-4"},
		"a backslash at the end": {sshd + "auth required pam_latchkey.so \\\n",
			"/etc/pam.d/sshd:1-1"},
		"two lines": {sshd +
			"auth required pam_latchkey.so\naccount required pam_latchkey.so\n",
			"/etc/pam.d/sshd:1-1 /etc/pam.d/sshd:2-2"},
		"no line of PAM's": {sshd + "auth pam_latchkey.so\n", "/etc/pam.d/sshd:1-1"},
		"a service of any name": {"/etc/pam.d/vsftpd.virtual-2:\n" +
			"auth required pam_latchkey.so\n", "/etc/pam.d/vsftpd.virtual-2:1-1"},
		"@include": {sshd +
			"@include code\n/etc/pam.d/code:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/code:1-1"},
		"a subfolder": {sshd +
			"@include latchkey/code\n/etc/pam.d/latchkey/code:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/latchkey/code:1-1"},
		"include": {sshd +
			"auth include sub/code\n/etc/pam.d/sub/code:\n\nauth required pam_latchkey.so\n",
			"/etc/pam.d/sub/code:2-2"},
		"substack": {sshd +
			"-auth [Substack] sub/code\n/etc/pam.d/sub/code:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/sub/code:1-1"},
		"of another type": {sshd +
			"session include sub/code\n/etc/pam.d/sub/code:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/sub/code:1-1"},
		"an include of an include": {sshd +
			"@include a/b\n/etc/pam.d/a/b:\n@include c/d\n/etc/pam.d/c/d:\n" +
			"auth required pam_latchkey.so\n", "/etc/pam.d/c/d:1-1"},
		"a ring": {sshd +
			"@include a/b\n/etc/pam.d/a/b:\n@include sshd\n@include a/b\n" +
			"auth required pam_latchkey.so\n", "/etc/pam.d/a/b:3-3"},
		"an absolute include": {sshd +
			"@include /srv/pam/code\n/srv/pam/code:\nauth required pam_latchkey.so\n",
			"/srv/pam/code:1-1"},
		"an include on two lines": {sshd +
			"auth include \\\nsub/code\n/etc/pam.d/sub/code:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/sub/code:1-1"},
		"a copy that is included": {sshd +
			"@include code.bak\n/etc/pam.d/code.bak:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/code.bak:1-1"},
		"a file in capitals": {sshd +
			"@include Code\n/etc/pam.d/Code:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/Code:1-1"},
		"the distribution's": {"/usr/lib/pam.d/sshd:\nauth required pam_latchkey.so\n",
			"/usr/lib/pam.d/sshd:1-1"},
		"the vendor's": {"/usr/share/pam.d/sshd:\nauth required pam_latchkey.so\n",
			"/usr/share/pam.d/sshd:1-1"},
		"pam.conf": {"/etc/pam.conf:\nsshd auth required pam_latchkey.so\n",
			"/etc/pam.conf:1-1"},
		"other": {"/etc/pam.d/other:\nauth required pam_latchkey.so\n",
			"/etc/pam.d/other:1-1"},
		"without a service for it": {"/etc/pam.d/other:\n@include /etc/pam.d/x/y\n" +
			"/etc/pam.d/x/y:\nauth required pam_latchkey.so\n", "/etc/pam.d/x/y:1-1"},
		"a copy of the module": {sshd + "auth required pam_2fa.so\n" + stacktest.ModuleDir +
			"pam_2fa.so:\npam_sm_authenticate /usr/libexec/latchkey/latchkey-login\n",
			"/etc/pam.d/sshd:1-1"},
		"a copy elsewhere": {sshd +
			"auth required /opt/code.so\n/opt/code.so:\n" +
			"pam_sm_authenticate /usr/libexec/latchkey/latchkey-login\n", "/etc/pam.d/sshd:1-1"},

		"nothing":       {"", ""},
		"other modules": {sshd + "auth required pam_unix.so\n", ""},
		"a comment": {sshd +
			"# auth required pam_latchkey.so\n\t#auth required pam_latchkey.so\n" +
			"auth required pam_unix.so # pam_latchkey.so\n", ""},
		"a comment with a backslash": {sshd +
			"# pam_latchkey.so \\\nauth required pam_unix.so # \\\n# pam_latchkey.so\n", ""},
		"a longer name": {sshd +
			"auth required my_pam_latchkey.so\nauth required pam_latchkey.so.disabled\n" +
			"auth required pam_latchkey_old.so\n", ""},
		"another module's option": {sshd + "auth required pam_exec.so type=pam_latchkey.so\n",
			""},
		"no file to include": {sshd +
			"@include nothing\nauth include\nauth required pam_unix.so\n", ""},
		"a file that is not included": {sshd +
			"auth required pam_unix.so\n/etc/pam.d/sub/code:\nauth required pam_latchkey.so\n",
			""},
		"a shadowed file": {sshd +
			"auth required pam_unix.so\n/usr/lib/pam.d/sshd:\nauth required pam_latchkey.so\n",
			""},
		"a damaged file":           {sshd + "auth requird pam_unix.so\n\x00\n", ""},
		"enroll's own service":     {"/etc/pam.d/enroll:\nauth required pam_latchkey.so\n", ""},
		"a file in capitals alone": {"/etc/pam.d/SSHD:\nauth required pam_latchkey.so\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := needed(stacktest.Machine(t, c.files))
			if slices.Sort(got); strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCopiesThatToolsLeaveAreNoServices(t *testing.T) {
	for _, name := range []string{"sshd~", "#sshd#", "sshd.bak", "sshd.orig", "sshd.dpkg-old",
		"sshd.dpkg-dist", "sshd.ucf-old", "sshd.rpmsave",
		"sshd.rpmnew", "common-auth.pam-old", ".sshd.swp", ".sshd"} {
		if got := needed(stacktest.Machine(t,
			"/etc/pam.d/"+name+":\nauth required pam_latchkey.so\n")); len(got) != 0 {
			t.Errorf("%s: got %q, want nothing", name, got)
		}
	}
}

func TestLinksToTheModuleAndToServicesAreFollowed(t *testing.T) {
	root := stacktest.Machine(t, "/etc/pam.d/one:\nauth required pam_soft.so\n/etc/pam.d/two:\n"+
		"auth required pam_hard.so\n/srv/three:\nauth required pam_latchkey.so\n")
	for _, link := range [][2]string{{pamd.Module, stacktest.ModuleDir + "pam_soft.so"},
		{"../../srv/three",
			"/etc/pam.d/three"}, {"nowhere", "/etc/pam.d/four"},
		{"/dev/null", "/etc/pam.d/five"}} {
		if err := os.Symlink(link[0], root+link[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(root+stacktest.ModuleDir+pamd.Module,
		root+stacktest.ModuleDir+"pam_hard.so"); err != nil {
		t.Fatal(err)
	}
	got, want := needed(root), []string{"/etc/pam.d/one:1-1", "/etc/pam.d/three:1-1",
		"/etc/pam.d/two:1-1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAFileThatCannotBeReadIsANeed(t *testing.T) {
	root := stacktest.Machine(t, "/etc/pam.d/sshd:\nauth required pam_unix.so\n"+
		"/etc/pam.d/long:\n"+strings.Repeat("#", pamd.Largest+1)+"\n")
	if err := os.Symlink("loop", root+"/etc/pam.d/loop"); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(root+"/etc/pam.d/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	got, want := needed(root), []string{"/etc/pam.d/long: error", "/etc/pam.d/loop: error",
		"/etc/pam.d/pipe: error"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What enroll says to type leaves passwords working, or it says so.
func TestLinesThatOthersJumpOverAreNotJustTakenOut(t *testing.T) {
	for name, c := range map[string]struct {
		sshd string
		want []string
	}{
		"below common-auth": {"auth [success=1 default=ignore] pam_unix.so\n" +
			"auth requisite pam_deny.so\nauth required pam_permit.so\n" +
			"auth required pam_latchkey.so\n", nil},
		"key or password": {"auth [success=1 default=ignore] pam_latchkey.so " +
			"if_publickey\nauth requisite pam_unix.so\nauth required pam_latchkey.so\n", nil},
		"a jump to the last line": {"auth [success=1 default=ignore] pam_unix.so\n" +
			"auth requisite pam_deny.so\nauth required pam_latchkey.so\n", []string{"sshd"}},
		"a jump over it": {"auth [success=2 default=ignore] pam_unix.so\n" +
			"auth [default=die] pam_latchkey.so if_publickey\nauth requisite pam_deny.so\n" +
			"auth required pam_latchkey.so\nauth required pam_permit.so\n", []string{"sshd"}},
		"one that then lets in": {"auth [default=1] pam_unix.so\n" +
			"auth required pam_latchkey.so\nauth requisite pam_deny.so\n" +
			"auth required pam_permit.so\n", []string{"sshd"}},
		"nothing but the code": {"auth required pam_latchkey.so\n", nil},
	} {
		root := stacktest.Machine(t, "/etc/pam.d/sshd:\n"+c.sshd)
		if got := countOn(root, needsBelow(root)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What stack.Read takes for pam_latchkey, in any stack, is found: FuzzRead's files are looked at
// the other way round.
func FuzzNeeds(f *testing.F) {
	f.Add("auth required pam_latchkey.so\n")
	f.Add("# x \\\n-auth [success=ok default=die]pam_latchkey.so#\n")
	f.Add("auth \\\n\trequired \\ \n [pam_latchkey.so] [x y]\n@include other\n")
	f.Fuzz(func(t *testing.T, text string) {
		root := stacktest.Machine(t, "")
		for _, dir := range []string{"/etc/pam.d", "/x"} {
			if err := os.MkdirAll(root+dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(root+"/etc/pam.d/sshd", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		needs := needsBelow(root)
		s, err := stack.Read(root, "sshd")
		if err != nil {
			return
		}
		for _, all := range []stack.Stack{s.Auth, s.Account, s.Session, s.Password} {
			if slices.ContainsFunc(all, (*stack.Line).Ours) && len(needs) == 0 {
				t.Errorf("%q has lines of the module, and there is no need of it", text)
			}
		}
	})
}
