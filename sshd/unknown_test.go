package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
	"latchkey/sshd/terminal"
)

const (
	codeForMFA      = "[[rule]]\ngroups = [%q]\nrequire = \"code\"\n[[rule]]\nrequire = \"none\"\n"
	denyForMFA      = "[[rule]]\ngroups = [%q]\nrequire = \"deny\"\n[[rule]]\nrequire = \"none\"\n"
	noneForMFA      = "[[rule]]\ngroups = [%q]\nrequire = \"none\"\n[[rule]]\nrequire = \"deny\"\n"
	namesAsInDebian = "passwd: files extrausers\nshadow: files extrausers\ngroup: files " +
		"extrausers\nnetgroup: files\n"
)

// grouped returns a private host with a member of the group, the netgroup and the foreign group
// called mfa, and an enrolled user who is in none of them.
func grouped(t *testing.T) (h *suite.Host, member, other *suite.User) {
	t.Helper()
	h = private(t)
	member, other = enrolled(t, h), enrolled(t, h)
	script(t, h, fmt.Sprintf(`set -e
echo 'mfa:x:50001:%[1]s' >>/etc/group
echo 'local:x:50002:' >>/etc/group
echo 'foreign:x:50003:%[1]s' >>/var/lib/extrausers/group
printf 'mfa (,%[1]s,)\nouter mfa\nlost nowhere\n' >/etc/netgroup
cat >/etc/nsswitch.conf <<'END'
%[2]sEND
`, member.Name, namesAsInDebian))
	return h, member, other
}

func policy(t *testing.T, h *suite.Host, text string) {
	t.Helper()
	_, err := h.Exec(text, "/usr/bin/install", "-m", "644", "/dev/stdin",
		"/etc/latchkey/latchkey.toml")
	must(t, err)
}

// tight are limits that the caller of su may set, from some under which nothing starts to some
// that are no obstacle.
func tight() []string {
	limits := []string{"-v 8000", "-v 16000", "-d 900", "-s 64"}
	for n := range 11 {
		limits = append(limits, fmt.Sprint("-n ", n))
	}
	return limits
}

// FAULTS 35: the caller of su chooses the limits of su, and gets no further with lower ones.
func TestSuWithTightLimitsDoesNotEscapeAGroup(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h, member, other := grouped(t)
		must(t, h.Service("su", suite.Latchkey))
		from := user(t, h)
		for _, group := range []string{"@mfa", "foreign"} {
			policy(t, h, fmt.Sprintf(codeForMFA, group))
			seen := suAs(t, h, from, other, "ulimit -n")
			if !strings.Contains(seen, "uid=") {
				t.Fatalf("%s, who is not in %s, does not get in: %q", other.Name, group, seen)
			}
			asked := 0
			for _, limit := range tight() {
				seen := suAs(t, h, from, member, "ulimit -S "+limit)
				if strings.Contains(seen, "uid=") {
					t.Errorf("%s, with %s: %q", group, limit, seen)
				}
				if strings.Contains(seen, "ode") {
					asked++
				}
			}
			if asked == 0 {
				t.Errorf("%s: no one was asked for a code", group)
			}
		}
	})
}

// suAs returns what users see who call su below a limit, type the password and say nothing more.
func suAs(t *testing.T, h *suite.Host, from, to *suite.User, limit string) string {
	t.Helper()
	term, err := terminal.New(h.Shell("/usr/bin/setpriv", "--reuid", from.Name, "--regid",
		from.Name, "--clear-groups",
		"/bin/sh", "-c", limit+" && exec /bin/su -c id "+to.Name))
	must(t, err)
	defer term.Close()
	if term.Expect(`[Pp]assword: |rror|annot|no more|imit`) == nil &&
		strings.Contains(term.Seen(), "assword: ") {
		must(t, term.Type(suite.Password))
		_ = term.Expect(`ode.*: |uid=|ailure|rror|annot|denied`) // or it ended
	}
	return term.Seen()
}

// FAULTS 35: each failure of the name service, and the same login where it works.
func TestUnknownMembershipGetsTheStricterOutcome(t *testing.T) {
	const exempt, asked, forbidden = "reason=exempt", "reason=conversation", "reason=forbidden"
	nsswitch := func(old, new string) string {
		return fmt.Sprintf("sed -i 's/^%s$/%s/' /etc/nsswitch.conf", old, new)
	}
	const breakForeign = "mv /var/lib/extrausers/group /root/g; mkdir /var/lib/extrausers/group"
	cases := []struct {
		name, breaks, policy, group string
		member                      bool
		healthy, broken, detail     string
	}{
		{"netgroup without a source, for its member",
			nsswitch("netgroup:.*", "netgroup: nosuchsource"), codeForMFA, "@mfa", true, asked,
			asked, "cannot be loaded"},
		{"netgroup without a source, for others",
			nsswitch("netgroup:.*", "netgroup: nosuchsource"), codeForMFA, "@mfa", false, exempt,
			asked, "cannot be loaded"},
		{"netgroup whose file is gone",
			"rm /etc/netgroup", codeForMFA, "@mfa", true, asked, asked,
			"there is no netgroup mfa"},
		{"netgroup whose file is a folder",
			"rm /etc/netgroup; mkdir /etc/netgroup", denyForMFA, "@mfa", false, exempt, forbidden,
			"files in nsswitch.conf"},
		{"netgroup that loses one in it",
			"sed -i /^mfa/d /etc/netgroup", codeForMFA, "@outer", true, asked, asked,
			"there is no netgroup mfa"},
		{"group that is renamed",
			"groupmod -n sudoo mfa", denyForMFA, "mfa", false, exempt, forbidden,
			"there is no such group"},
		{"group that exempts is renamed",
			"groupmod -n sudoo mfa", noneForMFA, "mfa", true, exempt, forbidden, ""},
		{"source without a library, for a member",
			nsswitch("group:.*", "group: files nosuchsource"), codeForMFA, "foreign", true, asked,
			asked, "cannot be loaded"},
		{"source without a library, for others",
			nsswitch("group:.*", "group: files nosuchsource"), codeForMFA, "local", false, exempt,
			asked, "cannot be loaded"},
		{"source that fails, for a member",
			breakForeign, codeForMFA, "foreign", true, asked, asked, "Is a directory"},
		{"source that fails, for a group of another one",
			breakForeign, denyForMFA, "local", true, exempt, forbidden,
			"source extrausers in nsswitch.conf"},
		{"source that fails, for a member of another one's",
			breakForeign, noneForMFA, "mfa", true, exempt, exempt, ""},
	}
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h, member, other := grouped(t)
		must(t, h.Service("alone", suite.OnlyCode))
		script(t, h, "mkdir /root/kept; cp -a /etc/group /etc/netgroup /etc/nsswitch.conf "+
			"/root/kept; cp -a /var/lib/extrausers/group /root/kept/foreign")
		lines := map[string]int{}
		try := func(u *suite.User, reason string) string {
			reply, err := h.Run(wire.Request{
				Argv: []string{"/usr/bin/pamtester", "alone", u.Name, "authenticate"},
			})
			must(t, err)
			lines[u.Name]++
			line := audited(t, h, u.Name, lines[u.Name], reason)
			if in := reply.Exit == 0; in != (reason == exempt) {
				t.Errorf("in: %v; %s", in, line)
			}
			return line
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				u := map[bool]*suite.User{true: member, false: other}[c.member]
				policy(t, h, fmt.Sprintf(c.policy, c.group))
				if line := try(u, c.healthy); strings.Contains(line, "cannot be checked") {
					t.Errorf("before: %s", line)
				}
				script(t, h, c.breaks)
				if line := try(u, c.broken); !strings.Contains(line, c.detail) {
					t.Errorf("the log does not say %q: %s", c.detail, line)
				}
				script(t, h, "rm -rf /etc/netgroup /var/lib/extrausers/group; cp -a "+
					"/root/kept/* /etc; mv /etc/foreign /var/lib/extrausers/group")
			})
		}
	})
}

// FAULTS 35: with UseDNS the client's name service chooses what PAM is told.
func TestAddressThatIsANameDoesNotEscapeARule(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		const inside, elsewhere = `"127.0.0.0/8"`, `"198.51.100.0/24"`
		for i, c := range []struct {
			dns, network string
			in           bool
			words        []string
		}{
			{"no", inside, false, []string{"reason=forbidden"}},
			{"yes", inside, false, []string{"reason=forbidden"}},
			{"no", elsewhere, true, []string{"reason=exempt"}},
			{"yes", elsewhere, false, []string{"reason=forbidden"}},
		} {
			name := fmt.Sprintf("usedns%d", i)
			path := "/etc/latchkey/" + name + ".toml"
			_, err := h.Exec("[[rule]]\nfrom = ["+c.network+
				"]\nrequire = \"deny\"\n[[rule]]\nrequire = \"none\"\n", "/usr/bin/install", "-m",
				"644", "/dev/stdin", path)
			must(t, err)
			s := ownServer(t, h,
				suite.Config{Name: name,
					Stack:   suite.Stack{"required pam_latchkey.so conf=" + path},
					Options: append([]string{"UseDNS " + c.dns}, suite.KeyAndCode.Options...)})
			u := enrolled(t, h)
			if c.in {
				allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key})
			} else {
				denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key})
			}
			line := audited(t, h, u.Name, 1, c.words...)
			if named := strings.Contains(line, `from="localhost"`); named != (c.dns == "yes") {
				t.Errorf("UseDNS %s: %s", c.dns, line)
			}
			if told := !strings.Contains(line, "not a literal address"); told != (c.dns == "no") {
				t.Errorf("UseDNS %s: %s", c.dns, line)
			}
		}
	})
}

// Where every service asks for a code (pam-auth-update puts the module into common-auth), enroll
// asks for what it needs itself, and any other application with a service of that name is asked.
func TestOnlyEnrollItselfIsExemptByItsService(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		must(t, h.Service("enroll", suite.Latchkey))
		u := user(t, h)
		term := enroll(t, h, u)
		must(t, term.Expect(`Password: `))
		must(t, term.Type(suite.Password))
		must(t, term.Expect(`Type the code that the app shows now. Verification code: `))
		must(t, u.ReadSecret(term.Seen()))
		must(t, term.Type(u.Code()))
		if exit, err := term.Exit(); err != nil || exit != 0 {
			t.Fatalf("exit %d, %v: %q", exit, err, term.Seen())
		}
		audited(t, h, u.Name, 1, "verdict=allow", "reason=exempt", `service="enroll"`)
		for _, program := range []string{"/usr/bin/pamtester", "/root/enroll"} {
			script(t, h, "cp /usr/bin/pamtester /root/enroll")
			reply, err := h.Run(wire.Request{
				Argv:  []string{program, "enroll", u.Name, "authenticate"},
				Stdin: []byte(suite.Password + "\n"),
			})
			must(t, err)
			if reply.Exit == 0 {
				t.Errorf("%s with enroll's service: allowed", program)
			}
		}
		audited(t, h, u.Name, 3, "verdict=deny", "reason=conversation", `service="enroll"`)
	})
}
