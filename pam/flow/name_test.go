package flow_test

import (
	"os"
	"strings"
	"testing"

	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// unmade demands that no login has made a file.
func unmade(w *world) {
	w.t.Helper()
	for _, dir := range []string{"etc/latchkey/users", "var/lib/latchkey/users"} {
		if list, err := os.ReadDir(w.root.Join(dir)); err != nil || len(list) != 1 ||
			list[0].Name() != "alice" {
			w.t.Errorf("%s has %v, %v", dir, list, err)
		}
	}
}

func TestInvalidNameIsDeniedAndTouchesNothing(t *testing.T) {
	names := []string{"", ".", "..", "../users/alice", "a/b", "-alice", ".alice", "alice\nx",
		"alice\x1b[2J", "alice\x00", "alice\xff", strings.Repeat("x", 10000)}
	for _, name := range names {
		for _, where := range []string{"User", "Name"} {
			w := newWorld(t, "unenrolled = \"allow\"\n[[rule]]\nrequire = \"none\"\n")
			w.untouched()
			r := request()
			if where == "User" {
				r.User = name
			} else {
				r.Name = name
			}
			o := w.login(r)
			w.expect(o, false, verdict.Name, unknownUser, "")
			unmade(w)
		}
	}
}

func TestUserTheNameServiceDoesNotVouchForIsDenied(t *testing.T) {
	for lookup, want := range map[flow.Lookup]struct {
		reason verdict.Reason
		pam    int
	}{
		flow.NoSuchUser:   {verdict.Name, unknownUser},
		flow.LookupFailed: {verdict.Internal, systemErr},
		flow.Lookup(9):    {verdict.Internal, systemErr},
	} {
		for _, name := range []string{"", "alice"} {
			w := newWorld(t, "unenrolled = \"allow\"\n[[rule]]\nrequire = \"none\"\n")
			w.untouched()
			r := request()
			r.User, r.Name, r.Lookup = "nobodyatall", name, lookup
			w.expect(w.login(r), false, want.reason, want.pam, "")
			unmade(w)
		}
	}
}

func TestUIDReusedByAnotherUserDoesNotGetTheOldRecord(t *testing.T) {
	w := newWorld(t, `unenrolled = "allow"`)
	w.untouched()
	r := request()
	r.UID = uid + 1
	o := w.login(r)
	w.expect(o, false, verdict.Record, unavailable, sorryText)
	w.detail(o, "made for another user")
}

func TestNameReusedByAnotherUserDoesNotGetTheOldRecord(t *testing.T) {
	w := newWorld(t, `unenrolled = "allow"`)
	testroot.Must(t, os.Rename(w.root.Record("alice"), w.root.Record("bob")))
	testroot.Must(t, os.Rename(w.root.State("alice"), w.root.State("bob")))
	r := request()
	r.User, r.Name = "bob", "bob"
	o := w.login(r)
	w.expect(o, false, verdict.Record, unavailable, sorryText)
	w.detail(o, "made for another user")
}

func TestNameServicesSpellingFindsTheRecord(t *testing.T) {
	w := newWorld(t, "")
	r := request()
	r.User = "ALICE"
	w.expect(w.login(r, w.code()), true, verdict.OK, success, firstText)
}

func TestZeroLookupIsADenial(t *testing.T) {
	w := newWorld(t, "")
	r := request()
	r.Lookup = flow.Lookup(0)
	o := w.login(r)
	w.expect(o, false, verdict.Internal, systemErr, "")
}
