package flow_test

import (
	"slices"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// What sshd is told during the login it shows twice on a terminal, and to scp as well.
func TestAReminderWaitsForTheSessionOfSSHDAndIsShownAtOnceByOthers(t *testing.T) {
	const text = "When 2027-02-01 is over you need a second factor to log in.\n" +
		"To set it up, run: enroll"
	for bySSHD, shown := range map[bool]string{true: "", false: text} {
		w := newWorld(t, "enroll_by = 2027-02-01\n")
		testroot.Must(t, w.root.Store().Reset(enrollment.ByRoot(), "alice"))
		r := request()
		r.BySSHD = bySSHD
		w.expect(w.login(r), true, verdict.Unenrolled, success, shown)
		var want []string
		if bySSHD {
			want = []string{text}
		}
		if !slices.Equal(w.later, want) {
			t.Errorf("by sshd %v: got %q for later, want %q", bySSHD, w.later, want)
		}
	}
}

// Someone who is denied has no session in which to be told.
func TestWhatDeniesIsSaidAtOnceBySSHDToo(t *testing.T) {
	w := newWorld(t, `unenrolled = "deny"`)
	testroot.Must(t, w.root.Store().Reset(enrollment.ByRoot(), "alice"))
	r := request()
	r.BySSHD = true
	w.expect(w.login(r), false, verdict.Unenrolled, maxTries, resetText)
	if len(w.later) > 0 {
		t.Errorf("got %q for later, want nothing", w.later)
	}
}
