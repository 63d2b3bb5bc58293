package sshd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// masks are what differs from one login to the next.
var masks = []struct{ pattern, mask string }{
	{`(?m)^[█▀▄ ]{30,}$`, "a line of the drawing"}, {`[A-Z2-7]{4}( [A-Z2-7]{4}){7}`, "SECRET"},
	{`\b[0-9]{6}\b`, "CODE"}, {`\b[0-9a-z]{5}-[0-9a-z]{5}\b`, "RECOVERY CODE"},
	{`You have [0-9]+ (minutes|seconds)`, "You have MINUTES"},
	{`about [0-9]+ seconds`, "about SECONDS"},
	{`alice on [a-z0-9.-]+`, "alice on HOST"}, {`since \w+ [0-9]+ \w+ [0-9:]+`, "since TIME"},
	{`(?m)^Connection to \S+ closed\.\n?`, ""},
	// a long name of the host puts the prompt on a line of its own
	{`(?m)^\(alice@host\) *\n`, "(alice@host) "},
	{`(?m)^Last login: .*\n`, ""}, {`Permission denied \(.*\)`, "Permission denied"},
	{`\balice@\S+: `, "alice@host: "}, {` +\n`, "\n"},
}

// masked returns a transcript without that.
func masked(transcript string) string {
	for _, m := range masks {
		transcript = regexp.MustCompile(m.pattern).ReplaceAllString(transcript, m.mask)
	}
	return strings.TrimSpace(transcript)
}

// transcripts are the logins that a page shows, in its order.
func transcripts(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	must(t, err)
	blocks := regexp.MustCompile("(?s)```\n(\\$ ssh alice@host\n"+
		"[^`]*)```").FindAllStringSubmatch(string(text), -1)
	var shown []string
	for _, b := range blocks {
		shown = append(shown, b[1])
	}
	return shown
}

// step is what is typed after what was seen; a function returns what is typed when it is needed.
type step struct {
	after string
	typed any
}

// played is the same login by OpenSSH's client, on a terminal.
func played(t *testing.T, s *suite.Server, c suite.OpenSSH, steps ...step) string {
	t.Helper()
	term, err := s.Terminal(c, "host")
	must(t, err)
	t.Cleanup(term.Close)
	for _, step := range append([]step{{`Password: `, suite.Password}}, steps...) {
		must(t, term.Expect(step.after))
		line, isText := step.typed.(string)
		if !isText {
			line = step.typed.(func(seen string) string)(term.Seen())
		}
		must(t, term.Type(line))
	}
	_, err = term.Exit()
	must(t, err)
	return "$ ssh alice@host\n" + term.Seen()
}

// agrees checks that a page shows what was seen.
func agrees(t *testing.T, shown, seen string) {
	t.Helper()
	if got, want := masked(seen), masked(shown); got != want {
		t.Errorf("the page shows\n%s\n\nand OpenSSH's client\n%s", want, got)
	}
}

const askedForCode = `Verification code: `

// leave are the last steps of a login that succeeds.
var leave = []step{{`\$ `, "whoami"}, {`\$ `, "exit"}}

func TestTheFirstLoginsThatThePageShowsAreWhatOpenSSHsClientShows(t *testing.T) {
	shown := transcripts(t, "../packaging/doc/first-login.md")
	if len(shown) != 2 {
		t.Fatalf("the page shows %d logins, want one with a drawing and one with a screen reader",
			len(shown))
	}
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, `echo 'unenrolled = "enroll"' >/etc/latchkey/latchkey.toml`)
		s := ownServer(t, h, suite.Config{
			Name: "shown", Options: []string{"LoginGraceTime 600"}, Stack: suite.Latchkey,
		})
		u, err := h.Named("alice")
		must(t, err)
		c := suite.OpenSSH{User: u.Name}
		code := func(seen string) string {
			must(t, u.ReadSecret(seen))
			return u.Code()
		}
		end := append([]step{{`Press Enter when you have them: `, ""}}, leave...)
		agrees(t, shown[0],
			played(t, s, c,
				append([]step{{askedForCode, "small"}, {askedForCode, code}}, end...)...))
		script(t, h, "enroll reset alice")
		agrees(t, shown[1], played(t, s, c, append([]step{{askedForCode, code}}, end...)...))
	})
}

// The page shows a phone with a wrong clock, and a lost phone.
func TestTheRefusedLoginsThatThePageShowsAreWhatOpenSSHsClientShows(t *testing.T) {
	shown := transcripts(t, "../packaging/doc/refused.md")
	if len(shown) != 2 {
		t.Fatalf("the page shows %d logins, want one with a wrong clock and one without a phone",
			len(shown))
	}
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := telling(t, h, "refusing", user(t, h))
		u, err := h.Named("alice")
		must(t, err)
		must(t, u.Enroll())
		code := regexp.MustCompile(`[0-9a-z]{5}-[0-9a-z]{5}`).FindString(
			script(t, h, "enroll codes --yes --user alice"))
		// what sshd says while a login is refused has the level INFO
		refused := suite.OpenSSH{User: u.Name, Options: []string{"LogLevel=INFO"}}
		agrees(t, shown[0], played(t, s, refused,
			step{askedForCode, u.CodeAt(-20)}, step{askedForCode, u.CodeAt(-19)},
			step{askedForCode, u.CodeAt(-18)}))
		agrees(t, shown[1],
			played(t, s, suite.OpenSSH{User: u.Name},
				append([]step{{askedForCode, "help"}, {askedForCode, code}}, leave...)...))
	})
}
