package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// privilege is root's effective uid of a setuid program, put down except where it is needed.
type privilege struct{ real int }

// dropPrivilege puts root's effective uid down. For root itself there is nothing to put down.
func dropPrivilege() (privilege, error) {
	p := privilege{real: os.Getuid()}
	if p.real != 0 && os.Geteuid() != 0 {
		return p, &failure{"not installed setuid root", "ask your administrator to reinstall latchkey"}
	}
	return p, p.effective(p.real)
}

// as0 runs do with root's effective uid.
func (p privilege) as0(do func() error) error {
	if err := p.effective(0); err != nil {
		return err
	}
	err := do()
	if down := p.effective(p.real); down != nil {
		// Going on with root's rights is worse than anything the caller could do about it.
		panic(down)
	}
	return err
}

func (p privilege) effective(uid int) error {
	if p.real == 0 {
		return nil
	}
	if err := unix.Setresuid(-1, uid, 0); err != nil {
		return fmt.Errorf("change the effective uid to %d: %w", uid, err)
	}
	return nil
}
