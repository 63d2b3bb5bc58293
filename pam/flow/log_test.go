package flow_test

import (
	"testing"
	"time"

	"latchkey/pam/flow/verdict"
)

func TestLineOfTheLogHasTheOutcomeAndTheRequest(t *testing.T) {
	for want, o := range map[string]verdict.Outcome{
		`latchkey: verdict=allow user="alice" service="sshd" from="192.0.2.7" method=totp ` +
			`device="phone" reason=ok tries=1 ms=4`: {
			Allow: true, Reason: verdict.OK, Method: "totp", Device: "phone", Tries: 1},
		`latchkey: verdict=deny user="alice" service="sshd" from="192.0.2.7" method=none ` +
			`device="" reason=state tries=0 ms=4 detail="why"`: {
			Reason: verdict.State, Detail: "why"},
		`latchkey: verdict=deny user="alice" service="sshd" from="192.0.2.7" method=none ` +
			`device="" reason=wrong tries=0 ms=4`: {Allow: true, Reason: verdict.Wrong},
	} {
		if got := request().Line(o, 4*time.Millisecond).String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
