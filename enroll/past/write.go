package past

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"latchkey/enroll/plural"
	"latchkey/pam/flow/verdict"
)

// says is what the reasons mean.
var says = map[verdict.Reason]string{
	verdict.OK:         "accepted",
	verdict.Wrong:      "the code was of none of the user's devices",
	verdict.Replayed:   "the code was used before, or is older than one that was",
	verdict.Expired:    "the code that was sent came too late",
	verdict.Locked:     "locked after too many wrong codes; nothing was compared",
	verdict.Unenrolled: "the user has no second factor",
	verdict.Exempt:     "no code was required",
	verdict.Forbidden:  "a rule says deny, or accepts nothing that the user has",
	verdict.NoAnswer:   "nothing was answered, or the client was gone",
	verdict.Name:       "the name is unknown or not accepted",
	verdict.Record:     "the record cannot be used",
	verdict.State:      "the state cannot be read or saved",
	verdict.Config:     "latchkey.toml or fleet.toml cannot be used",
	verdict.Argument:   "the module's arguments are wrong",
	verdict.Service:    "Twilio could not be asked",
	verdict.Fleet:      "the fleet gave no answer that can be believed",
	verdict.Offline:    "a break-glass code of this host was right",
	verdict.Internal:   "the login program failed or is missing",
}

// Write writes the report for people.
func (report *Report) Write(w io.Writer) {
	for _, d := range report.Decisions {
		d.write(w, report.User == "")
	}
	if len(report.Decisions) == 0 {
		fmt.Fprintf(w, "no %sdecision%s is in the log\n", such[report.chosen], about(report.User))
	}
	if report.Until != nil {
		fmt.Fprintf(w, "what is older than %s was not searched\n", stamp(*report.Until))
	}
	if report.Broken > 0 {
		fmt.Fprintf(w, "left out, because they begin like latchkey's lines and are not whole: %s\n",
			plural.Of(report.Broken, "line"))
	}
	for _, unread := range report.Unread {
		fmt.Fprintf(w, "not read: %s\n", unread)
	}
	fmt.Fprintf(w, "from: %s\n", strings.Join(report.Sources, ", "))
	if report.forgeable {
		fmt.Fprintln(w, "Any local user can write lines into these files that look like "+
			"latchkey's.")
	}
}

var such = map[bool]string{true: "such "}

func about(user string) string {
	if user == "" {
		return ""
	}
	return " about " + user
}

func stamp(t time.Time) string { return t.Format(time.DateTime) + " UTC" }

// write writes one decision as a line and, if there is a detail, one more.
func (d Decision) write(w io.Writer, named bool) {
	what := stamp(d.At) + "  " + d.Verdict + "  "
	if named {
		what += show(d.User) + " at "
	}
	what += show(d.Service)
	if d.From != "" {
		what += " from " + show(d.From)
	}
	if host, err := os.Hostname(); err == nil && d.Host != "" && first(host) != first(d.Host) {
		what += " on " + show(d.Host)
	}
	if d.Method != "none" {
		what += ", " + d.Method
	}
	if d.Device != "" {
		what += " " + show(d.Device)
	}
	fmt.Fprintf(w, "%s: %s\n", what, d.why())
	if d.Detail != "" {
		fmt.Fprintf(w, "    %s\n", show(d.Detail))
	}
}

// why says what the reason means, after how many tries.
func (d Decision) why() string {
	text := d.Reason
	if meaning, known := says[verdict.Reason(d.Reason)]; known && d.Reason != meaning {
		text += " (" + meaning + ")"
	}
	if d.Tries > 1 {
		text += fmt.Sprintf(", %d tries", d.Tries)
	}
	return text
}

// first is a host's name without its domain.
func first(host string) string {
	name, _, _ := strings.Cut(host, ".")
	return name
}

// show is a value from outside, so that it can do nothing to the terminal.
func show(text string) string {
	shown := fmt.Sprintf("%+q", text)
	if plain := shown[1 : len(shown)-1]; plain == text {
		return text
	}
	return shown
}
