package factor_test

import (
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func hotp(label string) record.Device {
	d := testroot.TOTP(label)
	d.Type, d.Period = method.HOTP, 0
	return d
}

// raised has an app that was used up to a step, a token at counter 5, and all that can be given
// out or be under way; it was raised at noon.
func raised(t *testing.T, step uint64) (*factor.Account, record.Device, record.Device) {
	t.Helper()
	app, token := testroot.TOTP("phone"), hotp("token")
	r := &record.Record{Name: "alice", UID: uid, Devices: []record.Device{app, token},
		Recovery: record.Recovery{ID: state.SetID{1}, Codes: []string{"12345678"}}}
	st := state.State{UID: uid, Devices: []state.Device{{ID: app.ID, Counter: step},
		{ID: token.ID, Counter: 5}},
		Recovery: state.Recovery{Set: state.SetID{1}}, Next: state.Recovery{Set: state.SetID{2}},
		Ticket: state.OneTimeCode{Until: noon.Add(time.Hour)},
		Bypass: state.OneTimeCode{Until: noon.Add(time.Hour)},
		Trusts: []state.Trust{{Since: noon, Days: 30}}, Pendings: []state.Pending{{At: noon}},
		Locked: noon.Add(-time.Hour), Failures: []time.Time{noon.Add(-time.Hour)},
		Refused: state.Refused{Count: 7}}
	factor.Raise(&st, r, noon)
	f := state.Virtual(st, func(state.State) error { return nil })
	return &factor.Account{Record: r, State: f}, app, token
}

func TestRaisedStateAcceptsNoCodeThatMayHaveBeenUsed(t *testing.T) {
	next := noon.Add(30 * time.Second)
	for name, c := range map[string]struct {
		step uint64
		code func(t *testing.T, app, token record.Device) string
		at   time.Time
		want factor.Result
	}{
		"of an app, of the step before": {0, func(t *testing.T, app, _ record.Device) string {
			return testroot.Code(t, app, noon.Add(-30*time.Second))
		}, noon, factor.Replayed},
		"of an app, of this step": {0, func(t *testing.T, app, _ record.Device) string {
			return testroot.Code(t, app, noon)
		}, noon, factor.Replayed},
		"of an app, of the next step": {0, func(t *testing.T, app, _ record.Device) string {
			return testroot.Code(t, app, next)
		}, next, factor.Replayed},
		"of an app, of the step after it": {0, func(t *testing.T, app, _ record.Device) string {
			return testroot.Code(t, app, next.Add(30*time.Second))
		}, next, factor.Accepted},
		"of an app that was used further": {999999999,
			func(t *testing.T, app, _ record.Device) string {
				return testroot.Code(t, app, next.Add(30*time.Second))
			}, next, factor.Replayed},
		"of a token": {0, func(t *testing.T, _, token record.Device) string {
			code, err := oath.Code(&token, 5)
			testroot.Must(t, err)
			return code
		}, noon, factor.Wrong},
		"of recovery": {0, func(*testing.T, record.Device, record.Device) string {
			return "12345678"
		}, noon, factor.Replayed},
	} {
		a, app, token := raised(t, c.step)
		m, err := compare(a, c.code(t, app, token), c.at, three, func(method.Method) bool {
			return true
		})
		testroot.Must(t, err)
		if m.Result != c.want {
			t.Errorf("a code %s: got %v, want %v", name, m.Result, c.want)
		}
	}
}

func TestRaisedTokenIsAcceptedWithTwoCodesInARow(t *testing.T) {
	a, _, token := raised(t, 0)
	for _, c := range []struct {
		counter uint64
		want    factor.Result
	}{{7, factor.Wrong}, {8, factor.Accepted}, {9, factor.Accepted}} {
		code, err := oath.Code(&token, c.counter)
		testroot.Must(t, err)
		m, err := compare(a, code, noon, three, func(method.Method) bool { return true })
		testroot.Must(t, err)
		if m.Result != c.want {
			t.Errorf("counter %d: got %v, want %v", c.counter, m.Result, c.want)
		}
	}
}

func TestRaisedStateKeepsFailuresAndLocksAndNothingThatLetsIn(t *testing.T) {
	a, _, _ := raised(t, 0)
	st := a.State.State
	if st.Locked.IsZero() || len(st.Failures) != 1 || st.Refused.Count != 7 {
		t.Errorf("failures and locks: got %v, %v, %v", st.Locked, st.Failures, st.Refused)
	}
	if st.Ticket != (state.OneTimeCode{}) || st.Bypass != (state.OneTimeCode{}) ||
		len(st.Trusts)+len(st.Pendings) > 0 || st.Next.Used != ^uint64(0) {
		t.Errorf("something still lets in: %+v", st)
	}
}
