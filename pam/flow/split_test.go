package flow_test

import (
	"testing"

	"latchkey/pam/field"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// typed is a line with split where this was typed.
func typed(shape string) flow.Request {
	r := request("split")
	r.Typed = &shape
	return r
}

func TestSplitTakesOffTheCodesThatTheUserHasAndLetsNoOneIn(t *testing.T) {
	with := func(change func(*flow.Request)) flow.Request {
		r := typed("aaaa999999")
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		request flow.Request
		want    field.Cut
	}{
		"a code behind the password": {typed("aaaa999999"), field.Cut{Code: 6}},
		"a password alone":           {typed("aaaa99"), field.Cut{}},
		"a user who is not enrolled": {with(func(r *flow.Request) {
			r.User, r.Name, r.UID = "bob", "bob", uid+1
		}), field.Cut{}},
		"a user who does not exist": {with(func(r *flow.Request) {
			r.Lookup = flow.NoSuchUser
		}), field.Cut{}},
		"enroll's own question": {with(func(r *flow.Request) {
			r.Service, r.ByEnroll = "enroll", true
		}), field.Cut{}},
		"another application's enroll": {with(func(r *flow.Request) {
			r.Service = "enroll"
		}), field.Cut{Code: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.untouched()
			o := w.login(c.request)
			if o.Reason != verdict.Split || o.Cut != c.want || o.PAM() == success || !o.Unlogged {
				t.Errorf("got %+v, PAM %d; want a denial with %+v", o, o.PAM(), c.want)
			}
		})
	}
}

func TestSplitTakesOffSixDigitsWhereTheRecordCannotBeRead(t *testing.T) {
	w := newWorld(t, "")
	testroot.Write(t, w.root.Record("alice"), []byte("damaged"))
	if o := w.login(typed("aaaa999999")); o.Reason != verdict.Split || o.Cut.Code != 6 {
		t.Errorf("got %+v, want six digits taken off", o)
	}
}

func TestSplitWithoutAnAnswerOrANameServiceIsDenied(t *testing.T) {
	w := newWorld(t, "")
	if o := w.login(request("split")); o.Allow || o.Reason != verdict.NoAnswer {
		t.Errorf("got %+v, want it denied because there was no answer", o)
	}
	r := typed("aaaa999999")
	r.Lookup = flow.LookupFailed
	if o := w.login(r); o.Allow || o.Reason != verdict.Internal {
		t.Errorf("got %+v, want it denied because the name service failed", o)
	}
}
