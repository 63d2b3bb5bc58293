package main

import (
	"testing"

	"latchkey/pam/twilio/protocol"
)

// TestOnlyApprovedAndNotInvalidApproves goes through every status that Verify has, and some that
// it has not.
func TestOnlyApprovedAndNotInvalidApproves(t *testing.T) {
	yes, no := true, false
	for _, status := range []string{
		"", "pending", "approved", "canceled", "max_attempts_reached", "deleted", "failed",
		"expired", "Approved", "approved ", "ok", "true",
	} {
		for _, valid := range []*bool{nil, &yes, &no} {
			v := verification{status: &status, valid: valid}
			if got, want := checked(v) == protocol.Approved, status == "approved" &&
				valid != &no; got != want {
				t.Errorf("checked %q: approved is %v", status, got)
			}
			if got, want := started(v) == protocol.Sent, status == "pending" &&
				valid != &yes; got != want {
				t.Errorf("started %q: sent is %v", status, got)
			}
		}
	}
}
