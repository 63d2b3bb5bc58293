package audit_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"latchkey/pam/audit"
)

// replayed is the example in the documentation.
func replayed() audit.Line {
	return audit.Line{
		User: "alice", Service: "sshd", From: "192.0.2.7", Method: "totp", Device: "phone",
		Reason: "replayed", Tries: 1,
		Took: 4*time.Millisecond + 999*time.Microsecond,
	}
}

func TestLineHasTheDocumentedFormat(t *testing.T) {
	allow, detail, none := replayed(), replayed(), audit.Line{Method: "none", Reason: "internal"}
	allow.Allow, allow.Reason = true, "ok"
	detail.Detail = `slot 1 is "damaged"`
	for want, line := range map[string]audit.Line{
		`latchkey: verdict=deny user="alice" service="sshd" from="192.0.2.7" ` +
			`method=totp device="phone" reason=replayed tries=1 ms=4`: replayed(),
		`latchkey: verdict=allow user="alice" service="sshd" from="192.0.2.7" ` +
			`method=totp device="phone" reason=ok tries=1 ms=4`: allow,
		`latchkey: verdict=deny user="alice" service="sshd" from="192.0.2.7" ` +
			`method=totp device="phone" reason=replayed tries=1 ms=4 ` +
			`detail="slot 1 is \x22damaged\x22"`: detail,
		`latchkey: verdict=deny user="" service="" from="" ` +
			`method=none device="" reason=internal tries=0 ms=0`: none,
	} {
		if got := line.String(); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
}

func TestAValueFromOutsideCannotForgeALine(t *testing.T) {
	cases := []struct{ name, value, shown string }{
		{"a line feed", "a\nlatchkey: verdict=allow", `a\x0alatchkey: verdict=allow`},
		{"a carriage return", "a\rb", `a\x0db`},
		{"a NUL", "a\x00b", `a\x00b`},
		{"an escape sequence", "\x1b[2J", `\x1b[2J`},
		{"a quote and a field", `a" reason=ok user="b`, `a\x22 reason=ok user=\x22b`},
		{"a backslash", `DOMAIN\user`, `DOMAIN\x5cuser`},
		{"an escape that looks like ours", `\x22`, `\x5cx22`},
		{"UTF-8", "größe", `gr\xc3\xb6\xc3\x9fe`},
		{"a line separator", "a\u2028b", `a\xe2\x80\xa8b`},
		{"a mark that turns the text around", "a\u202eb", `a\xe2\x80\xaeb`},
		{"C1 controls", "a\x9bb", `a\x9bb`},
		{"a delete", "a\x7fb", `a\x7fb`},
		{"255 bytes", strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{"10,000 bytes", strings.Repeat("x", 10000), strings.Repeat("x", 255)},
		{"10,000 line feeds", strings.Repeat("\n", 10000), strings.Repeat(`\x0a`, 255)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := replayed()
			l.User, l.Service, l.From = c.value, c.value, c.value
			l.Device, l.Detail = c.value, c.value
			got := l.String()
			want := strings.NewReplacer("U", c.shown).Replace(
				`latchkey: verdict=deny user="U" service="U" from="U" method=totp device="U" ` +
					`reason=replayed tries=1 ms=4 detail="U"`)
			if got != want {
				t.Errorf("got\n%s, want\n%s", got, want)
			}
		})
	}
}

func FuzzALineIsOnePrintableLineWithItsFields(f *testing.F) {
	f.Add("alice", "sshd", "192.0.2.7", "phone", "")
	f.Add("a\nb", "\"", "\\", "\x1b", "\xff")
	f.Fuzz(func(t *testing.T, user, service, from, device, detail string) {
		line := audit.Line{
			User:    user,
			Service: service,
			From:    from,
			Device:  device,
			Detail:  detail,
			Method:  "none",
			Reason:  "wrong",
		}.String()
		i := strings.IndexFunc(line,
			func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) })
		if i >= 0 {
			t.Errorf("%q is not printable at %d", line, i)
		}
		quotes := 8
		if detail != "" {
			quotes = 10
		}
		if strings.Count(line, `"`) != quotes ||
			!strings.HasPrefix(line, "latchkey: verdict=deny user=") {
			t.Errorf("%q has other fields", line)
		}
	})
}
