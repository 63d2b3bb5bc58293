package main

import (
	"testing"

	"latchkey/pam/twilio/protocol"
)

// TestEveryErrorMeansOneThing is the table of Twilio's numbers, and of HTTP's where Twilio gives
// none.
func TestEveryErrorMeansOneThing(t *testing.T) {
	for _, c := range []struct {
		status, code int
		want         protocol.Result
	}{
		{401, 20003, protocol.Credentials}, {404, 20404, protocol.Gone},
		{429, 20429, protocol.Busy}, {500, 20500, protocol.Failed},
		{400, 60200, protocol.Refused}, {429, 60202, protocol.TooManyChecks},
		{429, 60203, protocol.TooManySends},
		{403, 60205, protocol.Landline}, {429, 60212, protocol.Busy},
		{400, 60220, protocol.Refused}, {400, 60223, protocol.Refused},
		{403, 60238, protocol.Blocked}, {403, 60410, protocol.Blocked},
		{403, 60605, protocol.Blocked}, {403, 70051, protocol.Permission},
		{400, 0, protocol.Refused}, {401, 0, protocol.Credentials}, {403, 0, protocol.Refused},
		{404, 0, protocol.Invalid},
		{404, 1, protocol.Refused}, {429, 0, protocol.Busy}, {499, 0, protocol.Refused},
		{500, 0, protocol.Failed}, {599, 20404, protocol.Failed},
	} {
		if got := refusal(c.status, c.code); got != c.want {
			t.Errorf("%d, %d: %s, not %s", c.status, c.code, got, c.want)
		}
	}
}

func TestNoErrorApproves(t *testing.T) {
	for status := range 1000 {
		for code := range 100_000 {
			switch refusal(status, code) {
			case protocol.Approved, protocol.Sent, protocol.ProbeOK, protocol.Wrong, "":
				t.Fatalf("%d, %d: %s", status, code, refusal(status, code))
			}
		}
	}
}
