package main_test

import (
	"os"
	"strings"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// lenient are the policies that let in, or let enroll, users who never had a second factor.
var lenient = map[string]string{
	"allow":  `unenrolled = "allow"`,
	"enroll": `unenrolled = "enroll"`,
	"date":   `enroll_by = 9999-01-31`,
	"rule":   "unenrolled = \"allow\"\n[[rule]]\nservices = [\"sshd\"]\nrequire = \"code\"",
}

// FAULTS 37: state without its record, a renamed account, a second name with one uid.
func TestLoginOfAUserWhoLostTheRecordOrTheNameIsDeniedUnderEveryPolicy(t *testing.T) {
	lostRecord := func(t *testing.T, h *host) {
		testroot.Must(t, os.Remove(h.root.Record("alice")))
	}
	lostAll := func(t *testing.T, h *host) {
		testroot.Must(t, os.RemoveAll(h.root.Join("etc/latchkey/users")))
		testroot.Must(t, os.Mkdir(h.root.Join("etc/latchkey/users"), 0o700))
	}
	intact := func(*testing.T, *host) {}
	entryLost := func(t *testing.T, h *host) {
		// A change by enroll makes the index complete.
		testroot.Must(t, h.root.Store().Add(enrollment.ByRoot(),
			record.User{Name: "bob", UID: uid + 1}, testroot.TOTP("phone"), 0))
		testroot.Must(t, os.Remove(h.root.Join("var/lib/latchkey/uids/1000")))
	}
	for policyName, text := range lenient {
		for _, c := range []struct {
			name   string
			user   string
			change func(*testing.T, *host)
		}{
			{"lost record", "alice", lostRecord},
			{"all records lost", "alice", lostAll},
			{"second name of her uid", "alicia", intact},
			{"renamed after the record was lost", "alicia", lostRecord},
			{"renamed, and the index lost the uid", "alicia", entryLost},
		} {
			t.Run(policyName+"/"+c.name, func(t *testing.T) {
				h := newHost(t, text+"\n")
				// regardless of what the host's own helper did
				h.root.Enroll(t, "alice", uid, h.phone)
				c.change(t, h)
				testroot.Unchanged(t, h.root.State("alice"))
				g := h.start(nil)
				g.send("H" + hello(c.user))
				g.expect("EThe second factor cannot be checked.\nAsk your administrator to look " +
					"into the log.")
				g.send("A")
				g.verdict("deny 9")
				h.logged(`verdict=deny user="` + c.user +
					`" .* reason=record .*enroll reset alice.*`)
			})
		}
	}
}

// The allowed twin: a user who never enrolled, with a uid of their own, gets in where the policy
// says so.
func TestUserWhoNeverEnrolledPassesBesideOneWhoDid(t *testing.T) {
	h := newHost(t, lenient["allow"]+"\n")
	g := h.start(nil)
	g.send("H" + strings.Replace(hello("bob"), "uid=1000", "uid=1001", 1))
	g.verdict("allow")
}
