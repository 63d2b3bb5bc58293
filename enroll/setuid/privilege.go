package setuid

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"latchkey/enroll/hint"
)

// Privilege is the effective uid of root in a setuid program, put down except where it is needed.
// The zero value is root's own, which is never put down.
type Privilege struct {
	// Real is the real uid: the caller's.
	Real int
	// Abort reports an error and ends the program; nil: it ends without a word.
	Abort func(error)
	gid   int // the caller's, real and effective
}

// Drop puts the effective uid of root down. For root itself there is nothing to put down.
func Drop(abort func(error)) (Privilege, error) {
	p := Privilege{Real: os.Getuid(), Abort: abort, gid: os.Getgid()}
	if p.Real != 0 && os.Geteuid() != 0 {
		return p, hint.Error("without root's rights: not installed setuid root, or run where "+
			"that is switched off (nosuid, no new privileges, a debugger)",
			"run it in an ordinary login, or ask your administrator")
	}
	if err := p.set(p.Real, p.Real); err != nil {
		p.end(err)
	}
	return p, nil
}

// AsRoot runs do as root in every respect. If the real uid were the caller's, they could stop the
// program (kill -STOP) while it holds a lock, and keep everyone from logging in by phone or
// enrolling. One that is frozen there all the same can be looked at by another process of root's,
// which then ends it, even where that has no CAP_SYS_PTRACE.
func (p Privilege) AsRoot(do func() error) error {
	return p.as(0, func() error {
		if p.Real != 0 {
			// The caller may have changed it since the start, and no longer can.
			resetScheduling()
		}
		return do()
	})
}

// AsSetuid runs do with the effective uid of root and the real one of the caller, which is what
// PAM modules take for the user who asks.
func (p Privilege) AsSetuid(do func() error) error { return p.as(p.Real, do) }

func (p Privilege) as(ruid int, do func() error) error {
	if err := p.set(ruid, 0); err != nil {
		p.end(fmt.Errorf("%w; nothing was changed", err))
	}
	err := do()
	if down := p.set(p.Real, p.Real); down != nil {
		p.end(down)
	}
	return err
}

// end ends the program. Going on with unknown uids is worse than anything the caller could do
// about it.
func (p Privilege) end(err error) {
	if p.Abort != nil {
		p.Abort(err)
	}
	os.Exit(1)
}

// set changes the ids of all threads: the group is root's where the real uid is.
func (p Privilege) set(ruid, euid int) error {
	if p.Real == 0 {
		return nil
	}
	gid := p.gid
	if ruid == 0 {
		gid = 0
	}
	setUIDs := func() error { return unix.Setresuid(ruid, euid, 0) }
	setGIDs := func() error { return unix.Setresgid(gid, gid, gid) }
	order := []func() error{setGIDs, setUIDs} // the group while the effective uid is root's
	if euid == 0 {
		order = []func() error{setUIDs, setGIDs}
	}
	for _, change := range order {
		if err := change(); err != nil {
			return fmt.Errorf("change the effective uid to %d: %w", euid, err)
		}
	}
	if err := threadsHave(ruid, euid, gid); err != nil || ruid != 0 {
		return err
	}
	// Only root may look at it (ptrace(2)). The next change of ids takes
	// that back. There is no core file: the limit is 0.
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
}
