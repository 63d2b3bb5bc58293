package enrollment

import (
	"fmt"
	"slices"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Exchange is a new device in place of an old one, with new recovery codes: a new phone.
type Exchange struct {
	Old      state.DeviceID
	New      record.Device
	Counter  uint64 // up to which the new device was used
	Recovery record.Recovery
}

// Exchange makes e for u. After a crash at any instant there is the old enrollment or the new one.
//
// A code of the old device gives the right to this, and none to Remove it. Remove would leave a
// user who has nothing else at hand without a way in; here the caller has had a code of the new
// device typed. A stolen code gains nothing by it: with the password it is enough to Add a device,
// and a code of that device to Remove the old one.
func (s Store) Exchange(p Proof, u record.User, e Exchange) error {
	added := Enrollment{Devices: []record.Device{e.New}, Counters: []uint64{e.Counter}}
	return s.change(p, u, added, func(next *record.Record) error {
		if !has(next, e.Old) {
			return ErrMeanwhile
		}
		// The old device counts as well: with its secret, used codes would work again.
		if twin := twinOf(next, &e.New); twin != nil {
			return fmt.Errorf("the device %q has this %s already", twin.Label,
				secretOf(e.New.Type))
		}
		old := func(d record.Device) bool { return d.ID == e.Old }
		next.Devices = slices.DeleteFunc(slices.Clone(next.Devices), old)
		if next.Find(e.New.Label) != nil {
			return fmt.Errorf("there is a device %q already", e.New.Label)
		}
		next.Devices = append(next.Devices, e.New)
		next.Recovery = e.Recovery
		return nil
	})
}
