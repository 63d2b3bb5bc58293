package state

import (
	"fmt"
	"io"

	"latchkey/pam/safefile"
)

// turn is the slot that state number sequence is written to first when both are level: the one
// that the commit before did not flush.
func turn(sequence uint64) int { return int(sequence % 2) }

// Commit makes f.State durable: when it returns nil, the state is on the disk. Any error matches
// ErrSave, and the file then holds the old state or the new one: after a flush that failed the new
// one counts, so that a guess stays charged.
func (f *File) Commit() error {
	if err := f.commit(); err != nil {
		return fmt.Errorf("%w: %v", ErrSave, err)
	}
	return nil
}

// CommitOrUndo is Commit for a change that is to count only if it is told: when it fails, the old
// state counts again, unless the error matches safefile.ErrInForce too. f is of no use afterwards.
func (f *File) CommitOrUndo() error {
	old, slot := f.counted, f.next
	err := f.Commit()
	if err == nil || f.unfinished != nil || f.stage != nil {
		return err // of an unfinished state nothing new was written yet
	}
	if f.save(old, slot) != nil && !f.holds(old) {
		return fmt.Errorf("%w; %w", err, safefile.ErrInForce)
	}
	return err
}

// holds reports whether slot counts for everyone who reads the file.
func (f *File) holds(slot []byte) bool {
	now, err := parse(io.NewSectionReader(f.f, 0, fileSize+1))
	return err == nil && string(now.counted) == string(slot)
}

func (f *File) commit() error {
	if f.stage != nil {
		return f.stage(f.State)
	}
	if f.unfinished != nil {
		// The newer slot must be on the disk before the other is touched. It is written again,
		// since after a flush that failed the kernel takes what it could not write for written.
		if err := f.save(f.unfinished, 1-f.next); err != nil {
			return err
		}
		f.unfinished = nil
	}
	slot, err := f.following()
	if err != nil {
		return err
	}
	if err := f.save(slot, f.next); err != nil {
		return err
	}
	// The state is safe. Bringing the other slot level guards against damage later, and is not
	// worth a denial now.
	f.next, f.counted = 1-f.next, slot
	f.write(slot, f.next)
	f.Damage = ""
	return nil
}

// CommitUnflushed is Commit for a change that a crash may undo, as long as the caller has not
// flushed the file system. It leaves the slots uneven: until then, only the other one is known to
// be on the disk.
func (f *File) CommitUnflushed() error {
	if f.stage != nil || f.unfinished != nil {
		return f.Commit()
	}
	slot, err := f.following()
	if err == nil {
		err = f.write(slot, f.next)
	}
	if err != nil {
		return fmt.Errorf("%w: %v", ErrSave, err)
	}
	f.unfinished, f.next, f.counted = slot, 1-f.next, slot
	return nil
}

// following is the next slot to be written, in the place f.next.
func (f *File) following() ([]byte, error) {
	f.sequence++
	if turn(f.sequence) != f.next {
		f.sequence++ // the order was upset by damage; a number skipped sets it right
	}
	return f.encode()
}

// save writes slot number n and flushes it.
func (f *File) save(slot []byte, n int) error {
	if err := f.write(slot, n); err != nil {
		return err
	}
	return f.f.flush()
}

func (f *File) write(slot []byte, n int) error {
	_, err := f.f.WriteAt(slot, int64(n)*slotSize)
	return err
}
