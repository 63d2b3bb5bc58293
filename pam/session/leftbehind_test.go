package session

import (
	"os"
	"strings"
	"testing"

	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// Users whose record the host still has, because it has joined and has not imported them, or is
// about to, have a second factor, no matter what the fleet knows.
func TestUsersWhoWereLeftBehindAreNotTakenForUsersWithoutASecondFactor(t *testing.T) {
	for _, rule := range []string{`unenrolled = "allow"`, `unenrolled = "enroll"`,
		"enroll_by = 2099-01-31"} {
		for _, folder := range []string{"/etc/latchkey/users", "/etc/latchkey/users.moving", ""} {
			h := newFleetHost(t, "")
			h.root.Policy(t, rule)
			if folder != "" {
				testroot.Must(t, os.MkdirAll(h.root.Join(folder), 0o700))
				testroot.Write(t, h.root.Join(folder+"/bob"), []byte("damaged or not"))
			}
			g := h.begin(nil, func(Enrolling) verdict.Outcome { return verdict.Allow(verdict.OK) })
			g.send(strings.Replace(helloFrame(fields("bob")...), "uid=1000", "uid=1001", 1))
			frames := g.ends()
			last := frames[len(frames)-1]
			if folder == "" {
				if last != "V2 allow" {
					t.Errorf("%s, without a record: got %q", rule, frames)
				}
				continue
			}
			if !strings.HasPrefix(frames[0], "ENo second factor is set up") || last != "V2 deny 11" {
				t.Errorf("%s, with a record in %s: got %q", rule, folder, frames)
			}
			h.wantLog("verdict=deny", "reason=unenrolled", "enroll fleet import")
		}
	}
}
