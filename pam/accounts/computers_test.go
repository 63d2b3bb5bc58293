package accounts_test

import (
	"encoding/json"
	"testing"
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/trust"
)

func TestComputersAreThoseThatWereMeantAlsoFromAnotherHost(t *testing.T) {
	mine := state.Trust{Key: [16]byte{1}, Anywhere: true, Days: 30, Tag: [8]byte{2},
		Since: noon.In(time.FixedZone("elsewhere", 3600))}
	other := mine
	other.Key[0] = 9
	later := mine
	later.Since = noon.Add(time.Second)
	for name, c := range map[string]struct {
		computers          accounts.Computers
		mine, other, later bool
	}{
		"none":       {accounts.Computers{}, false, false, false},
		"all":        {accounts.Computers{All: true}, true, true, true},
		"by a label": {accounts.Computers{Label: trust.Label(mine)}, true, false, true},
		"one":        {accounts.Computers{One: mine}, true, false, false},
	} {
		text, err := json.Marshal(c.computers)
		testroot.Must(t, err)
		var got accounts.Computers
		testroot.Must(t, json.Unmarshal(text, &got))
		for of, want := range map[state.Trust]bool{mine: c.mine, other: c.other, later: c.later} {
			if got.Has(of) != want {
				t.Errorf("%s: got %v for %+v, want %v", name, !want, of, want)
			}
		}
	}
}
