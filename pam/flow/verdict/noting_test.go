package verdict_test

import (
	"testing"

	"latchkey/pam/flow/verdict"
)

func TestDoubtsFollowTheDetail(t *testing.T) {
	for _, c := range []struct{ detail, doubts, want string }{
		{"", "", ""}, {"why", "", "why"}, {"", "doubts", "doubts"},
		{"why", "doubts", "why; doubts"},
	} {
		o := verdict.Deny(verdict.Forbidden, c.detail).Noting(c.doubts)
		if o.Detail != c.want || o.Allow || o.Reason != verdict.Forbidden {
			t.Errorf("%q and %q: got %+v, want %q", c.detail, c.doubts, o, c.want)
		}
	}
}

func TestOnlyAllowLetsIn(t *testing.T) {
	if got := verdict.Undecided.PAM(); got == success {
		t.Error("got an undecided login let in")
	}
	if got := verdict.Allow(verdict.Exempt).PAM(); got != success {
		t.Errorf("got %d, want %d", got, success)
	}
	if got := verdict.Deny(verdict.Exempt, "").PAM(); got == success {
		t.Error("got a denial let in")
	}
}
