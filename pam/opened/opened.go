// Package opened keeps open what would otherwise be opened for each account.
package opened

import (
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Once returns k for a caller that opens many accounts: what would be opened for each of them is
// opened once, until done is called. A caller that changes any uses
// ExclusiveMany of pam/enrollment.
func Once(k factor.Keyring) (of factor.Keyring, done func(), err error) {
	done = func() {}
	if files, ok := k.Records.(record.Store); ok {
		if k.Records, done, err = files.Hold(); err != nil {
			return k, nil, err
		}
	}
	if files, ok := k.States.(state.Store); ok {
		doneRecords, doneStates := done, done
		if k.States, doneStates, err = files.Hold(); err != nil {
			doneRecords()
			return k, nil, err
		}
		done = func() {
			doneRecords()
			doneStates()
		}
	}
	return k, done, nil
}
