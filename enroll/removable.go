package main

import (
	"latchkey/enroll/options"
	"latchkey/enroll/removable"
)

// removable fails if the package cannot be removed without locking people out. The scripts of the
// packages ask this.
func (p *program) removable(o options.Options) error {
	return removable.Check(p.root, o.ButProfile)
}
