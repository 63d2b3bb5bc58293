package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// tree returns every file of latchkey's, so that a test sees one that was added or changed.
func tree(t *testing.T, h *suite.Host) string {
	t.Helper()
	return script(t, h, "find /etc/latchkey /var/lib/latchkey -printf '%p %y %m %s %T@\\n' | sort")
}

func TestNonexistentUserIsDeniedAndLeavesNoFile(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		enrolled(t, h) // so that there is something to disturb
		before := tree(t, h)
		for _, c := range []suite.Config{
			suite.PasswordAndCode, suite.KeyAndCode, {Name: "code-alone", Stack: suite.OnlyCode},
		} {
			s := server(t, h, c)
			for _, name := range []string{
				"no-one-here", "..", "../../etc/passwd", "-rf", ".hidden", "two\nlines", "\x1b[2J",
				strings.Repeat("x", 10000),
			} {
				denied(t, s, suite.Attempt{
					User:     name,
					Password: suite.Password,
					Key:      shared.Key,
					Codes:    []string{"123456"},
				})
			}
		}
		if after := tree(t, h); after != before {
			t.Errorf("files changed from\n%s\nto\n%s", before, after)
		}
		oneLineEach(t, h)
	})
}

// oneLineEach checks that no part of a name breaks an audit line in two or reaches a terminal.
func oneLineEach(t *testing.T, h *suite.Host) {
	t.Helper()
	lines, err := h.Log()
	must(t, err)
	for _, line := range lines {
		if strings.Contains(line, "latchkey: verdict=") &&
			(strings.Contains(line, "␤") || strings.ContainsRune(line, '\x1b')) {
			t.Errorf("raw control characters in %q", line)
		}
	}
}

// The name service vouches for these names, so nothing before latchkey stops them.
func TestNameThatNoFileMayHaveIsDenied(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, good := server(t, h, suite.KeyAndCode), enrolled(t, h)
		odd := []string{"..", "a/b", "../users/" + good.Name, ".hidden", "-rf", "\x1b[2J"}
		for i, name := range odd {
			script(t, h, fmt.Sprintf("printf '%%s:x:%d:%d::/:/bin/sh\\n' '%s' "+
				">>/var/lib/extrausers/passwd\n", 30000+i, 30000+i, name))
		}
		before := tree(t, h)
		for _, name := range odd {
			o := denied(t, s,
				suite.Attempt{User: name, Key: shared.Key, Codes: []string{good.Code()}})
			if o.CodePrompts() != 0 {
				t.Errorf("%q was asked for a code", name)
			}
		}
		if after := tree(t, h); after != before {
			t.Errorf("files changed from\n%s\nto\n%s", before, after)
		}
		oneLineEach(t, h)
		allowed(t, s,
			suite.Attempt{User: good.Name, Key: shared.Key, Codes: []string{good.Code()}})
	})
}

func TestRecreatedAccountDoesNotInheritTheRecord(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u, other := server(t, h, suite.KeyAndCode), enrolled(t, h), user(t, h)
		swap := func(from, to int) {
			h.Lock()
			defer h.Unlock()
			script(t, h, fmt.Sprintf("sed -i 's/^%s:x:%d:/%s:x:%d:/' /etc/passwd", u.Name,
				from, u.Name, to))
		}
		swap(u.UID, 60001)
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
		audited(t, h, u.Name, 1, "verdict=deny", "reason=record")
		swap(60001, u.UID)
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})

		script(t, h, fmt.Sprintf("cp -p %[1]s%[3]s %[1]s%[4]s; cp -p %[2]s%[3]s %[2]s%[4]s",
			recordFile, stateFile, u.Name, other.Name))
		denied(t, s, suite.Attempt{
			User:  other.Name,
			Key:   shared.Key,
			Codes: []string{u.CodeAt(1)},
		})
		audited(t, h, other.Name, 1, "verdict=deny", "reason=record")
	})
}

// sshd answers in root's place if root may not log in that way: that must not be counted as a
// guess.
func TestRootUnderProhibitPasswordIsDeniedAndNothingIsCharged(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, "echo 'root:"+suite.Password+"' | chpasswd")
		root := h.Root()
		must(t, root.Enroll())
		before := picture(t, h, root)
		for _, c := range []suite.Config{suite.PasswordAndCode, suite.KeyAndCode} {
			s := server(t, h, c)
			denied(t, s, suite.Attempt{
				User:     "root",
				Password: suite.Password,
				Key:      shared.Key,
				Codes:    []string{root.Code()},
			})
		}
		// With the key, latchkey is reached, and does not count sshd's answer as a guess.
		audited(t, h, "root", 1, "verdict=deny", "reason=conversation", "tries=0")
		if after := picture(t, h, root); after != before {
			t.Errorf("root's state changed from\n%s\nto\n%s", before, after)
		}
		c := suite.KeyAndCode
		c.Name, c.Options = "root-key", append([]string{"PermitRootLogin yes"}, c.Options...)
		allowed(t, server(t, h, c),
			suite.Attempt{User: "root", Key: shared.Key, Codes: []string{root.Code()}})
	})
}

func TestAUserOfAnotherNameServiceEnrollsAndLogsIn(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		users, err := h.ForeignUsers(1)
		must(t, err)
		u := users[0]
		out := script(t, h, "grep -c ^"+u.Name+": /etc/passwd || true")
		if strings.TrimSpace(out) != "0" {
			t.Fatalf("/etc/passwd knows %s", u.Name)
		}
		must(t, u.Enroll())
		s := server(t, h, suite.PasswordAndCode)
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: u.WrongCodes()})
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
	})
}
