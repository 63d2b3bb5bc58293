package enrollment

import (
	"fmt"
	"io/fs"
	"slices"

	"latchkey/pam/record"
)

// Rename gives one of u's devices another label. The error matches fs.ErrNotExist if u has no such
// device.
func (s Store) Rename(p Proof, u record.User, labelOrID, label string) error {
	return s.change(p, u, Enrollment{}, func(next *record.Record) error {
		next.Devices = slices.Clone(next.Devices)
		d := next.Find(labelOrID)
		if d == nil {
			return fmt.Errorf("no device %q: %w", labelOrID, fs.ErrNotExist)
		}
		if other := next.Find(label); other != nil && other.ID != d.ID {
			return fmt.Errorf("there is a device %q already", label)
		}
		d.Label = label
		return nil
	})
}
