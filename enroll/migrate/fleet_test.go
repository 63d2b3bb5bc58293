package migrate

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/enrollment"
	"latchkey/pam/record"
	"latchkey/pam/takeover"
)

// A fleet that refuses one user would not refuse the next; one that refuses the host would.
func TestFaultOfTheFleetStopsTheRunAndTheNextRunCompletesIt(t *testing.T) {
	errFleet, errUser := errors.New("no service"), errors.New("a damaged record")
	var mu sync.Mutex
	has, broken := map[string]bool{}, false
	takeOver := func(_ enrollment.Proof, u record.User, _ enrollment.Enrollment, _ bool) (
		takeover.Outcome, error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case u.Name == "u1":
			return takeover.Outcome{}, errUser
		case broken && len(has) >= 3:
			return takeover.Outcome{}, fmt.Errorf("asked: %w", errFleet)
		case has[u.Name]:
			return takeover.Outcome{Result: takeover.Unchanged}, nil
		}
		has[u.Name] = true
		return takeover.Outcome{Result: takeover.Imported}, nil
	}
	for _, run := range []struct {
		broken  bool
		most    int
		want    []string
		changed []string
	}{
		{true, 1, []string{Taken, Failed, Taken, Taken, Failed, Unknown},
			[]string{"u0 imported", "u2 imported", "u3 imported"}},
		{false, 4, []string{Unchanged, Failed, Unchanged, Unchanged, Taken, Unknown},
			[]string{"u4 imported"}},
		{false, 1, []string{Unchanged, Failed, Unchanged, Unchanged, Unchanged, Unknown}, nil},
	} {
		options, changed := host(t)
		options.Fleet = &Fleet{TakeOver: takeOver, Most: run.most,
			Stops: func(err error) bool { return errors.Is(err, errFleet) }}
		broken = run.broken
		m := migration{Options: options}
		for n := range 5 {
			name := fmt.Sprintf("u%d", n)
			m.all = append(m.all, &candidate{Outcome: Outcome{User: name},
				who: User{User: record.User{Name: name}}, entry: source.Entry{User: name}})
		}
		m.all = append(m.all, &candidate{Outcome: Outcome{User: "nosuch", Result: Unknown}})
		stopped := m.save()
		var got []string
		for _, o := range m.outcomes(stopped) {
			got = append(got, o.Result)
		}
		if !slices.Equal(got, run.want) || errors.Is(stopped, errFleet) != run.broken ||
			!slices.Equal(*changed, run.changed) {
			t.Errorf("got %q, %v, told of %q; want %q, %q", got, stopped, *changed, run.want,
				run.changed)
		}
	}
}
