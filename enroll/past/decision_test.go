package past

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/audit"
)

const allowed = `verdict=allow user="alice" service="sshd" from="192.0.2.7" method=totp ` +
	`device="phone" reason=ok tries=1 ms=4`

const denied = `verdict=deny user="alice" service="sshd" from="" method=none device="" ` +
	`reason=internal tries=0 ms=0`

const object = `{"verdict":"deny","user":"alice","service":"sshd","from":"192.0.2.7",` +
	`"method":"totp","device":"phone","reason":"replayed","tries":1,"ms":4}`

func but(line, old, by string) string { return strings.Replace(line, old, by, 1) }

func TestOnlyALineThatIsWholeIsADecision(t *testing.T) {
	for name, c := range map[string]struct {
		tag, message string
		ours, whole  bool
	}{
		"a login":                  {"latchkey", allowed, true, true},
		"with a detail":            {"latchkey", allowed + ` detail="slot 1"`, true, true},
		"the module's own":         {"sshd", "latchkey: " + denied, true, true},
		"in JSON":                  {"latchkey", object, true, true},
		"in JSON, with a detail":   {"latchkey", but(object, "}", `,"detail":"x"}`), true, true},
		"a change":                 {"latchkey", `change=add user="alice" by="root"`, false, false},
		"a debug line":             {"latchkey", `debug: ` + allowed, false, false},
		"cut off":                  {"latchkey", allowed[:len(allowed)-1], true, false},
		"cut off in a name":        {"latchkey", allowed[:25], true, false},
		"with more behind it":      {"latchkey", allowed + ` reason=ok`, true, false},
		"a field twice":            {"latchkey", allowed + ` detail="a" detail="b"`, true, false},
		"in another order":         {"latchkey", `verdict=allow service="sshd" user="a"`, true, false},
		"another verdict":          {"latchkey", "verdict=maybe" + allowed[13:], true, false},
		"a quote in a name":        {"latchkey", but(allowed, "alice", `a"b`), true, false},
		"a backslash":              {"latchkey", but(allowed, "alice", `a\b`), true, false},
		"a control character":      {"latchkey", but(allowed, "alice", "a\x1b[2J"), true, false},
		"a line feed":              {"latchkey", allowed + "\n", true, false},
		"a number that is none":    {"latchkey", but(allowed, "=1 ms", "=x ms"), true, false},
		"no JSON":                  {"latchkey", object[:len(object)-1], true, false},
		"JSON with another member": {"latchkey", but(object, "}", `,"x":1}`), true, false},
		"JSON with a time": {"latchkey",
			but(object, "}", `,"time":"2027-01-31T12:00:00Z"}`), true, false},
		"JSON without a member":    {"latchkey", but(object, `"from":"192.0.2.7",`, ""), true, false},
		"JSON with a text of ms":   {"latchkey", but(object, `:4}`, `:"4"}`), true, false},
		"JSON with more behind it": {"latchkey", object + object, true, false},
		// What strangers can have other programs log.
		"a name that sshd logs":         {"sshd", "Invalid user latchkey: " + allowed, false, false},
		"the module's own that lets in": {"sshd", "latchkey: " + allowed, true, false},
		"the module's own with a method": {"sshd",
			"latchkey: " + but(denied, "none", "totp"), true, false},
		"another program's verdict":   {"verdictd", allowed, false, false},
		"JSON of another program":     {"sshd", object, false, false},
		"a tag that begins like ours": {"latchkey-x", allowed, false, false},
	} {
		_, ours, whole := parse(c.tag, c.message)
		if ours != c.ours || whole != c.whole {
			t.Errorf("%s: got that it is ours: %v, and whole: %v; want %v and %v", name, ours, whole,
				c.ours, c.whole)
		}
	}
}

// What is written is read: every name that strangers can choose comes back as it was.
func FuzzADecisionReadsWhatTheLogSays(f *testing.F) {
	f.Add("alice", "sshd", "192.0.2.7", "phone", "", uint16(1))
	f.Add("a\nlatchkey: verdict=allow", `" reason=ok`, `\x22`, "größe", "slot 1", uint16(3))
	f.Fuzz(func(t *testing.T, user, service, from, device, detail string, tries uint16) {
		cut := func(s string) string { return s[:min(len(s), 255)] }
		written := audit.Line{User: user, Service: service, From: from, Method: "totp",
			Device: device, Reason: "wrong", Tries: int(tries), Took: 4 * time.Millisecond,
			Detail: detail}.String()
		got, ours, whole := parse(tagged, strings.TrimPrefix(written, "latchkey: "))
		want := Decision{Verdict: "deny", User: cut(user), Service: cut(service), From: cut(from),
			Method: "totp", Device: cut(device), Reason: "wrong", Tries: int(tries), MS: 4,
			Detail: cut(detail)}
		if !ours || !whole || got != want {
			t.Errorf("got %+v (ours %v, whole %v), want %+v from %s", got, ours, whole, want, written)
		}
	})
}
