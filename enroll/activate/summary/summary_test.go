package summary

import (
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/activate/journal"
	"latchkey/pam/testroot"
)

func TestTheSummarySaysWhatIsInForceAndWhatToDo(t *testing.T) {
	root := t.TempDir()
	testroot.Must(t, os.WriteFile(root+"/edited", []byte("x"), 0o644))
	files := []journal.File{{Path: "/edited", Before: "none", After: "other"},
		{Path: "/gone", Before: "none", After: "other"}}
	at := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	began := journal.Moment{Wall: at, Boot: "first", Up: time.Hour}
	for want, j := range map[string]*journal.Journal{
		"enroll activate is not in force.\n": {State: journal.Inactive},
		"Undone on 2027-01-31 12:00:00 UTC: too late.\n/etc/x was changed by others": {
			State: journal.Inactive, At: at, Why: "too late", Left: []string{"/etc/x"}},
		"In force: key+code (sshd, sudo), confirmed by alice on 2027-01-31 12:00:00 UTC.\n" +
			"/edited is no longer as enroll activate left it: other\n/gone is no longer as enroll " +
			"activate left it: before\n": {State: journal.Active, Stack: "key+code", By: "alice",
			At: at, Services: []string{"sshd", "sudo"}, Files: files},
		"(in 4m0s)": {State: journal.Pending, Began: began, Within: 5 * time.Minute},
		"(in 1s)":   {State: journal.Pending, Began: began, Within: 61 * time.Second},
		"it is being undone. If it stays like this": {State: journal.Pending, Began: began,
			Within: time.Second},
	} {
		now := journal.Moment{Wall: at.Add(time.Minute), Boot: "first", Up: time.Hour + time.Minute}
		var b strings.Builder
		testroot.Must(t, Of(j, journal.Store{Root: root}, now).Write(&b))
		if !strings.Contains(b.String(), want) {
			t.Errorf("got\n%s\nwant\n%s", b.String(), want)
		}
		confirmable := j.State == journal.Pending && j.Due(now) > 0
		if strings.Contains(b.String(), "enroll activate --confirm") != confirmable {
			t.Errorf("%v: got\n%s\nwant what to confirm: %v", j.State, b.String(), confirmable)
		}
	}
}
