package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// privilege is root's effective uid of a setuid program, put down except where it is needed. The zero value is root's own.
type privilege struct{ real int }

// dropPrivilege puts root's effective uid down. For root itself there is nothing to put down.
func dropPrivilege() (privilege, error) {
	p := privilege{real: os.Getuid()}
	if p.real != 0 && os.Geteuid() != 0 {
		return p, &failure{"without root's rights: not installed setuid root, or run where that is switched off (nosuid, no new privileges, a debugger)",
			"run it in an ordinary login, or ask your administrator"}
	}
	return p, p.set(p.real, p.real)
}

// as0 runs do as root in every respect. Were the real uid the caller's, he could stop the program (kill -STOP) while it holds
// a lock, and keep everybody from logging in by phone or enrolling.
func (p privilege) as0(do func() error) error { return p.as(0, do) }

// asSetuid runs do with root's effective uid and the caller's real one, by which PAM modules tell who asks.
func (p privilege) asSetuid(do func() error) error { return p.as(p.real, do) }

func (p privilege) as(real int, do func() error) error {
	if err := p.set(real, 0); err != nil {
		return err
	}
	err := do()
	if down := p.set(p.real, p.real); down != nil {
		// Going on with root's rights is worse than anything the caller could do about it.
		panic(down)
	}
	return err
}

func (p privilege) set(real, effective int) error {
	if p.real == 0 {
		return nil
	}
	if err := unix.Setresuid(real, effective, 0); err != nil {
		return fmt.Errorf("change the effective uid to %d: %w", effective, err)
	}
	return nil
}
