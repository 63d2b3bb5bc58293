package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files writes PAM's files into a folder of their own: "name: " lines begin one, the first is
// sshd.
func files(t *testing.T, text string) string {
	t.Helper()
	dir, name := t.TempDir(), "sshd"
	content := map[string]string{name: ""}
	for line := range strings.Lines(strings.TrimLeft(text, "\n")) {
		if file, ok := strings.CutSuffix(line, ":\n"); ok {
			name = file
			continue
		}
		content[name] += line
	}
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// told is what is wrong with the service, one "kind place code" each, places without their folder.
func told(s *Service) []string {
	kinds := map[Kind]string{Absent: "absent", Skipped: "skipped", Shrug: "shrug", Early: "early",
		Unsure: "unsure", Closed: "closed", Twice: "twice"}
	var all []string
	for _, w := range s.Weaknesses() {
		text := kinds[w.Kind]
		if w.Kind == Early || w.Kind == Unsure {
			text += fmt.Sprintf(" %s:%d", filepath.Base(w.Factor.File), w.Factor.Number)
		}
		if w.Line != nil {
			text += fmt.Sprintf(" %s:%d", filepath.Base(w.Line.File), w.Line.Number)
		}
		if w.Kind == Skipped || w.Kind == Shrug {
			text += " " + w.Code.String()
		}
		all = append(all, text)
	}
	return all
}

// debian is common-auth as Debian ships it.
const debian = `common-auth:
auth	[success=1 default=ignore]	pam_unix.so nullok
auth	requisite			pam_deny.so
auth	required			pam_permit.so
auth	optional			pam_cap.so
`

// redhat is system-auth as authselect makes it.
const redhat = `system-auth:
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        sufficient                                   pam_unix.so nullok
auth        required                                     pam_deny.so
`

func TestEachStackThatIsRightHasTwinsThatAreNot(t *testing.T) {
	for _, c := range []struct {
		name, stack string
		wrong       []string
	}{
		// Password and code, as README says.
		{"below common-auth", "@include common-auth\nauth required pam_latchkey.so\n" + debian,
			nil},
		{"requisite", "@include common-auth\nauth requisite pam_latchkey.so\n" + debian, nil},
		{"required in brackets", "@include common-auth\n" +
			"auth [success=ok new_authtok_reqd=ok ignore=ignore default=bad] pam_latchkey.so\n" +
			debian, nil},
		{"with conf and debug", "@include common-auth\n" +
			"auth required /usr/lib/security/pam_latchkey.so conf=/etc/x debug\n" + debian, nil},
		{"on two lines", "@include common-auth\nauth required \\\n  pam_latchkey.so # the code\n" +
			debian, nil},
		{"account, too", "@include common-auth\nauth required pam_latchkey.so\n" +
			"account required pam_latchkey.so\n" + debian, nil},
		{"with what only warns above",
			"auth optional pam_faildelay.so\n@include common-auth\n" +
				"auth required pam_latchkey.so\n" + debian, nil},
		{"with what may refuse below",
			"@include common-auth\nauth required pam_latchkey.so\nauth required pam_nologin.so\n" +
				debian, nil},
		{"optional", "@include common-auth\nauth optional pam_latchkey.so\n" + debian,
			[]string{"shrug sshd:2 auth_err"}},
		{"default=ignore", "@include common-auth\nauth [default=ignore] pam_latchkey.so\n" +
			debian, []string{"shrug sshd:2 auth_err"}},
		{"one failure ignored", "@include common-auth\n" +
			"auth [success=ok authinfo_unavail=ignore default=die] pam_latchkey.so\n" + debian,
			[]string{"shrug sshd:2 authinfo_unavail"}},
		{"a missing module ignored",
			"@include common-auth\n" +
				"-auth [success=ok module_unknown=ignore default=die] pam_latchkey.so\n" + debian,
			[]string{"shrug sshd:2 module_unknown"}},
		{"sufficient", "@include common-auth\nauth sufficient pam_latchkey.so\n" + debian,
			[]string{"shrug sshd:2 auth_err"}},
		{"every code counts", "@include common-auth\nauth [default=ok] pam_latchkey.so\n" +
			"auth required pam_permit.so\n" + debian, nil},
		{"forgotten by a reset", "auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
			"auth [default=reset] pam_warn.so\nauth required pam_permit.so\n",
			[]string{"shrug sshd:2 auth_err"}},
		{"sufficient above", "auth sufficient pam_unix.so\nauth required pam_latchkey.so\n",
			[]string{"skipped sshd:1 success", "early sshd:2 sshd:1"}},
		{"sufficient in an include", "auth include system-auth\nauth required pam_latchkey.so\n" +
			redhat,
			[]string{"skipped system-auth:3 success", "early sshd:2 system-auth:3"}},
		{"done in an include of an include",
			"@include first\nauth required pam_latchkey.so\nfirst:\nauth include second\n" +
				"second:\n" +
				"auth required pam_env.so\nauth [success=done default=die] pam_unix.so\n",
			[]string{"skipped second:2 success"}},
		{"a jump that goes too far",
			"auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" +
				"auth required pam_latchkey.so\nauth required pam_permit.so\n",
			[]string{"skipped sshd:1 success"}},
		{"a jump for some users", "@include common-auth\n" +
			"auth [success=1 default=ignore] pam_succeed_if.so user = x\n" +
			"auth required pam_latchkey.so\n" + debian,
			[]string{"skipped sshd:2 success"}},
		{"a line that ends it for some networks",
			"@include common-auth\nauth sufficient pam_access.so\n" +
				"auth required pam_latchkey.so\n" + debian,
			[]string{"skipped sshd:2 success"}},
		{"absent", "@include common-auth\n" + debian, []string{"absent"}},
		{"absent but in account", "@include common-auth\naccount required pam_latchkey.so\n" +
			debian, []string{"absent"}},
		{"another module of that name", "@include common-auth\nauth required pam_latchkey\n" +
			debian, []string{"absent"}},

		// Substacks: done and die end no more than the substack.
		{"below a substack", "auth substack system-auth\nauth required pam_latchkey.so\n" + redhat,
			[]string{"early sshd:2 system-auth:3"}},
		{"in place of the substack, as the page for administrators says",
			"auth requisite pam_unix.so\nauth required pam_latchkey.so\nauth include postlogin\n" +
				"postlogin:\nauth optional pam_umask.so silent\n", nil},
		{"below a substack that dies",
			"auth substack common-auth\nauth required pam_latchkey.so\n" + debian,
			[]string{"early sshd:2 common-auth:1"}},
		{"below a substack that is required",
			"auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" +
				"auth substack code\n" +
				"code:\nauth required pam_latchkey.so\n", nil},
		{"in a substack that ends well before",
			"auth requisite pam_unix.so\nauth substack code\n" +
				"code:\nauth sufficient pam_exec.so\nauth required pam_latchkey.so\n",
			[]string{"skipped code:1 success"}},
		{"jumped over with a substack around",
			"auth [success=1 default=ignore] pam_unix.so\nauth substack code\n" +
				"auth required pam_permit.so\n" +
				"code:\nauth required pam_warn.so\nauth required pam_latchkey.so\n",
			[]string{"skipped sshd:1 success", "early code:2 sshd:1"}},

		// Key or password, then the code.
		{"if_publickey", "auth [success=1 default=ignore] pam_latchkey.so if_publickey\n" +
			"auth requisite pam_unix.so\nauth required pam_latchkey.so\n", nil},
		{"if_publickey jumps too far",
			"auth [success=2 default=ignore] pam_latchkey.so if_publickey\n" +
				"auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
				"auth required pam_permit.so\n",
			[]string{"skipped sshd:1 success"}},
		{"if_publickey is enough",
			"auth sufficient pam_latchkey.so if_publickey\nauth requisite pam_unix.so\n" +
				"auth required pam_latchkey.so\n",
			[]string{"skipped sshd:1 success"}},
		{"if_publickey alone", "auth requisite pam_unix.so\n" +
			"auth required pam_latchkey.so if_publickey\n", []string{"absent"}},
		{"with any answer of if_publickey",
			"auth [default=1] pam_latchkey.so if_publickey\nauth requisite pam_unix.so\n" +
				"auth required pam_latchkey.so\n",
			[]string{"early sshd:3"}},

		// The code before the password is right.
		{"requisite password", "auth requisite pam_unix.so\nauth required pam_latchkey.so\n", nil},
		{"required password", "auth required pam_unix.so\nauth required pam_latchkey.so\n",
			[]string{"early sshd:2 sshd:1"}},
		{"the code first", "auth required pam_latchkey.so\nauth required pam_unix.so\n",
			[]string{"early sshd:1"}},
		{"the code is enough", "auth sufficient pam_latchkey.so\nauth required pam_unix.so\n",
			[]string{"shrug sshd:1 auth_err", "early sshd:1"}},
		{"no password", "auth required pam_latchkey.so\n", []string{"early sshd:1"}},
		{"a password that leaves root out",
			"auth requisite pam_krb5.so ignore_root\nauth required pam_latchkey.so\n",
			[]string{"early sshd:2 sshd:1"}},
		{"two sources of passwords",
			"auth [success=2 default=ignore] pam_unix.so\n" +
				"auth [success=1 default=ignore] pam_sss.so\nauth requisite pam_deny.so\n" +
				"auth required pam_latchkey.so\n", nil},
		{"a source that is not known",
			"auth [success=2 default=ignore] pam_unix.so\n" +
				"auth [success=1 default=ignore] pam_strange.so\nauth requisite pam_deny.so\n" +
				"auth required pam_latchkey.so\n",
			[]string{"unsure sshd:4 sshd:2"}},
		{"locked accounts", "auth requisite pam_faillock.so preauth\n" +
			"auth [success=1 default=bad] pam_unix.so\n" +
			"auth [default=die] pam_faillock.so authfail\nauth required pam_latchkey.so\n", nil},
		{"the line and the profile", "@include common-auth\nauth required pam_latchkey.so\n" +
			debian + "auth required pam_latchkey.so\n", []string{"twice sshd:2"}},
		{"twice, and once where there is a key",
			"auth [success=2 default=ignore] pam_latchkey.so if_publickey\n" +
				"auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
				"auth required pam_latchkey.so\n", []string{"twice sshd:4"}},
		{"one or the other", "auth [success=2 default=ignore] pam_latchkey.so if_publickey\n" +
			"auth requisite pam_unix.so\nauth [success=1 default=die] pam_latchkey.so\n" +
			"auth required pam_latchkey.so conf=/etc/keys.toml\nauth required pam_permit.so\n",
			nil},
		{"no one gets in", "auth requisite pam_unix.so\nauth required pam_latchkey.so\n" +
			"auth [default=1] pam_permit.so\n", []string{"closed sshd:2"}},

		// Files that the service does not have.
		{"by other", "account required pam_unix.so\nother:\nauth requisite pam_unix.so\n" +
			"auth required pam_latchkey.so\n", nil},
		{"not by other", "auth requisite pam_unix.so\nother:\nauth required pam_latchkey.so\n",
			[]string{"absent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := readIn("", []string{files(t, c.stack)}, "sshd")
			if err != nil {
				t.Fatal(err)
			}
			got := told(s)
			if slices.Sort(got); !slices.Equal(got, sorted(c.wrong)) {
				t.Errorf("told %q, not %q", got, c.wrong)
			}
		})
	}
}

func sorted(all []string) []string {
	all = slices.Clone(all)
	slices.Sort(all)
	return all
}

func TestRootNeedsNoCodeForSuAndNoOneGetsInToSshdThatWay(t *testing.T) {
	dir := files(t, "auth sufficient pam_rootok.so\nauth requisite pam_unix.so\n"+
		"auth required pam_latchkey.so\nsu:\n@include sshd\n")
	for service, want := range map[string][]string{"su": nil, "sshd": {"skipped sshd:1 success"}} {
		s, err := readIn("", []string{dir}, service)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(s); !slices.Equal(got, want) {
			t.Errorf("%s: %q", service, got)
		}
		if got := len(s.RootAlready()); got != 1-len(want) {
			t.Errorf("%s: %d lines for root", service, got)
		}
	}
}

// A stack that doubles its ways at each line is walked in no time: ways that agree are one.
func TestALongStackIsWalked(t *testing.T) {
	stack := strings.Repeat("auth [success=1 auth_err=2 default=ignore] pam_warn.so\n"+
		"auth optional pam_warn.so\n", 500) +
		"auth optional pam_warn.so\nauth requisite pam_unix.so\nauth required pam_latchkey.so\n"
	s, err := readIn("", []string{files(t, stack)}, "sshd")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.explore(func(*Line) bool { return false }); len(got.nodes) > 20*len(s.Auth) {
		t.Errorf("%d nodes", len(got.nodes))
	}
	if got := told(s); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
