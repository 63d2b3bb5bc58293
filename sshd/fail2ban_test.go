package sshd_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/audit"
	"latchkey/sshd/suite"
)

// guesses are the reasons that fail2ban counts.
var guesses = []string{"wrong", "replayed", "expired", "locked"}

// stamp is how rsyslog begins the lines of a file.
const stamp = "Nov 26 12:00:00 host "

// reasons are all words of the log, from the table for administrators.
func reasons(t *testing.T) (all []string) {
	t.Helper()
	page, err := os.ReadFile("../packaging/doc/administrators.md")
	must(t, err)
	_, table, _ := strings.Cut(string(page), "| reason | what happened, what to do |\n|---|---|\n")
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			break
		}
		for _, m := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(cells[1], -1) {
			all = append(all, m[1])
		}
	}
	for _, reason := range guesses {
		if !slices.Contains(all, reason) {
			t.Fatalf("the table has %q, without %q", all, reason)
		}
	}
	return slices.Compact(all)
}

// written returns entries as latchkey sends them, in text and then in JSON.
func written(t *testing.T, entries ...audit.Entry) (lines []string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "log") // a short path, as a socket's address must be
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "log")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer conn.Close()
	buf := make([]byte, 8192)
	for _, json := range []bool{false, true} {
		for _, e := range entries {
			audit.Syslog{Path: path, JSON: json}.Log(audit.Warning, e)
			n, err := conn.Read(buf)
			must(t, err)
			_, line, _ := strings.Cut(string(buf[:n]), ">")
			lines = append(lines, stamp+line)
		}
	}
	return lines
}

// matched are the lines that a filter of fail2ban counts.
func matched(t *testing.T, h *suite.Host, filter string, lines []string) []string {
	t.Helper()
	_, err := h.Exec(strings.Join(lines, "\n")+"\n", "/bin/sh", "-c", "cat >/tmp/lines")
	must(t, err)
	out := script(t, h, "fail2ban-regex --print-all-matched /tmp/lines "+filter)
	_, part, _ := strings.Cut(out, "- Matched line(s):\n")
	part, _, _ = strings.Cut(part, "`-\n")
	var found []string
	for line := range strings.Lines(part) {
		found = append(found, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "|  "))
	}
	if !strings.Contains(out, fmt.Sprintf(" %d matched,", len(found))) {
		t.Fatalf("fail2ban-regex %s says\n%s\nwhich has %d lines", filter, out, len(found))
	}
	return found
}

// banHost is a host with fail2ban, which is not started, and the example's filter.
func banHost(t *testing.T, d *suite.Distribution) *suite.Host {
	t.Helper()
	h, err := shared.With(d, "fail2ban")
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	script(t, h, "install -m 0644 "+installed+"fail2ban/latchkey.conf /etc/fail2ban/filter.d/")
	script(t, h, "install -m 0644 "+installed+"fail2ban/jail.conf "+
		"/etc/fail2ban/jail.d/latchkey.conf && touch /var/log/auth.log && "+
		"fail2ban-client --test")
	return h
}

func TestFail2banCountsGuesses(t *testing.T) {
	t.Parallel()
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			h := banHost(t, d)
			t.Run("of every reason", func(t *testing.T) { countsReasons(t, h) })
			t.Run("of real logins, once", func(t *testing.T) { countsLogins(t, h) })
		})
	}
}

// countsReasons tries lines with every reason, with and without a detail, and lines that must not
// count.
func countsReasons(t *testing.T, h *suite.Host) {
	var count, others []audit.Entry
	line := audit.Line{User: `o"b \x22 from="192.0.2.9`, Service: "sshd", From: "192.0.2.7",
		Method: "totp", Device: "a phone", Tries: 3}
	for _, reason := range reasons(t) {
		for _, detail := range []string{"", `verdict=deny "reason":"wrong" reason=wrong tries=1`} {
			line.Reason, line.Detail, line.Allow = reason, detail, false
			if slices.Contains(guesses, reason) {
				count = append(count, line)
			} else {
				others = append(others, line)
			}
			line.Allow = true
			others = append(others, line)
		}
	}
	local := audit.Line{User: "alice", Service: "su", Method: "totp", Reason: "wrong", Tries: 3}
	others = append(others, local,
		audit.Change{What: "add", User: "alice", By: "root", Device: "app", Detail: "reason=wrong"},
		audit.Untold{Event: "lock", User: "alice", Program: "/x", Detail: "from=\"192.0.2.7\""})
	want := written(t, count...)
	got := matched(t, h, "latchkey", append(written(t, others...), want...))
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := matched(t, h, "sshd", want); len(got) > 0 {
		t.Errorf("the filter of sshd counts %q; want none", got)
	}
}

// countsLogins tries the lines of sshd and latchkey about real logins.
func countsLogins(t *testing.T, h *suite.Host) {
	s := server(t, h, suite.PasswordAndCode)
	guessing, mistaken, good := enrolled(t, h), enrolled(t, h), enrolled(t, h)
	denied(t, s, suite.Attempt{User: guessing.Name, Password: suite.Password,
		Codes: guessing.WrongCodes()})
	denied(t, s, suite.Attempt{User: mistaken.Name, Password: "wrong"})
	denied(t, s, suite.Attempt{User: "stranger", Password: "wrong"})
	allowed(t, s, suite.Attempt{User: good.Name, Password: suite.Password,
		Codes: []string{good.Code()}})
	_, err := h.Audit(good.Name, 1)
	must(t, err)
	raw, err := h.Log()
	must(t, err)
	var lines []string
	for _, line := range raw {
		_, line, _ = strings.Cut(line, ">")
		if strings.HasPrefix(line, "latchkey: ") {
			line = stamp + line
		} else if at := strings.Index(line, "sshd"); at >= 0 {
			line = stamp + line[at:]
		}
		lines = append(lines, line)
	}
	counted := func(filter, user string) (n int) {
		for _, line := range matched(t, h, filter, lines) {
			if strings.Contains(line, user) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		filter, user string
		want         bool
	}{
		{"latchkey", guessing.Name, true}, {"sshd", guessing.Name, false},
		{"latchkey", mistaken.Name, false}, {"sshd", mistaken.Name, true},
		{"latchkey", "stranger", false}, {"sshd", "stranger", true},
		{"latchkey", good.Name, false}, {"sshd", good.Name, false},
	} {
		if n := counted(c.filter, c.user); n > 0 != c.want || c.filter == "latchkey" && n > 1 {
			t.Errorf("the filter %s counts %d lines about %q; want some: %t\n%s", c.filter, n,
				c.user, c.want, strings.Join(lines, "\n"))
		}
	}
}
