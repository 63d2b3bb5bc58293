package main

import (
	"latchkey/enroll/activate/journal"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/removable"
)

// removable fails if the package cannot be removed without locking people out. The scripts of the
// packages ask this.
func (p *program) removable(o options.Options) error {
	err := removable.Check(p.root, o.ButProfile)
	if j, unread := p.activations().Load(); err != nil && unread == nil &&
		j.State != journal.Inactive {
		return hint.Error(err.Error(), "enroll deactivate puts back what was there before; then "+
			"remove latchkey again")
	}
	return err
}
