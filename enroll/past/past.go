// Package past reads from the system's log what was decided about logins: from systemd's journal,
// or where there is none from the files of a syslog daemon.
//
// A log is full of text that strangers chose: names that do not exist, banners, and all that local
// users write into it. So a line counts only if all of it is as pam_latchkey(8) describes, and in
// the journal only if a process of root's wrote it.
package past

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

// Reader reads decisions from one system's log.
type Reader struct {
	Root    string // prefix of every path; "" but in tests
	Clock   func() time.Time
	User    string // whose; "": everyone's
	Service string // at which service; "": at any
	From    string // from which address; "": from any
	Most    int    // how many
}

// Report is what a log says; its JSON is an interface.
type Report struct {
	User      string     `json:"user"`
	Sources   []string   `json:"sources"`   // journal, or paths of files
	Decisions []Decision `json:"decisions"` // the newest first
	// Broken counts lines that begin like latchkey's and are not whole.
	Broken int `json:"broken"`
	// Until is how far the search came, if it was not to the beginning of the log.
	Until *time.Time `json:"until"`
	// Unread are files that could not be read, with the reason.
	Unread []string `json:"unread"`

	forgeable bool // any local user can write such lines
	chosen    bool // by service or address
}

// ErrNoLog says that there is no log that can be read.
var ErrNoLog = errors.New("no log can be read: there is no systemd journal, and no " +
	"/var/log/auth.log or /var/log/secure")

// Read reads the newest decisions.
func (r Reader) Read() (*Report, error) {
	report := &Report{User: r.User, Sources: []string{}, Decisions: []Decision{},
		Unread: []string{}, chosen: r.Service != "" || r.From != ""}
	if r.hasJournal() {
		return report, r.journal(report)
	}
	return report, r.files(report)
}

// wants reports whether a decision is one that was asked for.
func (r Reader) wants(d Decision) bool {
	return (r.User == "" || d.User == r.User) && (r.Service == "" || d.Service == r.Service) &&
		(r.From == "" || sameAddress(d.From, r.From))
}

// sameAddress compares addresses, whichever way they are written.
func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil {
		return strings.EqualFold(a, b)
	}
	return x.Unmap() == y.Unmap()
}

// take judges one line of the log: its tag, and what stands behind it.
func (report *Report) take(r Reader, at time.Time, host, tag, message string) {
	d, ours, whole := parse(tag, message)
	switch {
	case !ours:
	case !whole:
		report.Broken++
	case r.wants(d):
		d.At, d.Host = at.UTC(), host
		report.Decisions = append(report.Decisions, d)
	}
}
