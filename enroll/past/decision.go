package past

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Decision is one line of the log; its JSON is an interface. Except for time and host, the members
// are the fields of pam_latchkey(8).
type Decision struct {
	At      time.Time `json:"time"`
	Host    string    `json:"host"`
	Verdict string    `json:"verdict"`
	User    string    `json:"user"`
	Service string    `json:"service"`
	From    string    `json:"from"`
	Method  string    `json:"method"`
	Device  string    `json:"device"`
	Reason  string    `json:"reason"`
	Tries   int       `json:"tries"`
	MS      int64     `json:"ms"`
	Detail  string    `json:"detail"`
}

const (
	tagged = "latchkey"
	quoted = `"((?:[ !#-\[\]-~]|\\x[0-9a-f]{2})*)"`
)

// line is all of a decision's line, behind the tag.
var line = regexp.MustCompile(`^verdict=(allow|deny) user=` + quoted + ` service=` + quoted +
	` from=` + quoted + ` method=([a-z]+) device=` + quoted +
	` reason=([a-z]+) tries=([0-9]{1,9}) ms=([0-9]{1,15})(?: detail=` + quoted + `)?$`)

// parse reads a line with this tag. ours reports whether it begins like a decision of latchkey's,
// and whole whether all of it is one.
func parse(tag, message string) (d Decision, ours, whole bool) {
	if tag != tagged {
		return parseGate(message)
	}
	switch {
	case strings.HasPrefix(message, "verdict="):
		d, whole = parseText(message)
	case strings.HasPrefix(message, `{"verdict":`):
		d, whole = parseJSON(message)
	default:
		return d, false, false
	}
	return d, true, whole
}

// parseGate reads a line of the module's own, which has the application's tag. It denies, because
// the login program gave no verdict, and says nothing else: so what an application logs for a
// stranger can at most look like that.
func parseGate(message string) (d Decision, ours, whole bool) {
	message, ours = strings.CutPrefix(message, tagged+": verdict=")
	if !ours {
		return d, false, false
	}
	d, whole = parseText("verdict=" + message)
	return d, true, whole && d.Verdict == "deny" && d.Reason == "internal" && d.Method == "none"
}

func parseText(message string) (d Decision, whole bool) {
	m := line.FindStringSubmatch(message)
	if m == nil {
		return d, false
	}
	d = Decision{Verdict: m[1], User: unquote(m[2]), Service: unquote(m[3]), From: unquote(m[4]),
		Method: m[5], Device: unquote(m[6]), Reason: m[7], Detail: unquote(m[10])}
	d.Tries, _ = strconv.Atoi(m[8])
	d.MS, _ = strconv.ParseInt(m[9], 10, 64)
	return d, true
}

// parseJSON reads the same fields as one JSON object ([log] in latchkey.toml).
func parseJSON(message string) (d Decision, whole bool) {
	var given map[string]json.RawMessage
	if json.Unmarshal([]byte(message), &given) != nil || json.Unmarshal([]byte(message), &d) != nil {
		return d, false
	}
	delete(given, "detail")
	for _, name := range fields {
		if _, has := given[name]; !has {
			return d, false
		}
	}
	return d, len(given) == len(fields) && (d.Verdict == "allow" || d.Verdict == "deny") &&
		word.MatchString(d.Reason) && word.MatchString(d.Method)
}

// fields are those that every decision has.
var fields = []string{"verdict", "user", "service", "from", "method", "device", "reason", "tries",
	"ms"}

var word = regexp.MustCompile(`^[a-z]+$`)

var escaped = regexp.MustCompile(`\\x[0-9a-f]{2}`)

// unquote undoes what the log does to values from outside.
func unquote(text string) string {
	return escaped.ReplaceAllStringFunc(text, func(hex string) string {
		b, _ := strconv.ParseUint(hex[2:], 16, 8) // as the pattern says
		return string([]byte{byte(b)})
	})
}
