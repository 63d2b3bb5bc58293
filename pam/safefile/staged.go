package safefile

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"latchkey/pam/many"
)

// Staged is a new file that is written and has not got its name yet. Many of them can be written,
// then flushed, and then named, one step after the other for all of them: each step takes few
// writes of the file system's journal then, and not one for each file.
type Staged struct {
	dir       *Dir
	name, tmp string
	fd        int
	named     bool
}

// Stage writes data to a temporary file, mode 0600, that is to be name in d. The caller flushes it
// before naming it, and discards it in the end, before d is closed.
func (d *Dir) Stage(name string, data []byte) (*Staged, error) {
	return begun(d.stage(name, data, asIs))
}

// StageInPlace is Stage for a file that Preallocate would make.
func (d *Dir) StageInPlace(name string, data []byte) (*Staged, error) {
	return begun(d.stage(name, data, noCOW))
}

// begun has the disk begin to write a file that was staged, so that Flush waits less. If it fails,
// Flush does all.
func begun(s *Staged, err error) (*Staged, error) {
	if err == nil {
		unix.SyncFileRange(s.fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	}
	return s, err
}

// stage writes data to a temporary file that prepare got to see while it was empty.
func (d *Dir) stage(name string, data []byte, prepare func(fd int)) (*Staged, error) {
	if err := plain(name); err != nil {
		return nil, err
	}
	random := make([]byte, 12)
	rand.Read(random) // never fails: crypto/rand ends the program instead
	s := &Staged{dir: d, name: name, tmp: temporary + hex.EncodeToString(random)}
	var err error
	s.fd, err = unix.Openat(d.fd, s.tmp,
		unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, s.failed(err)
	}
	if err = own(s.fd); err == nil {
		prepare(s.fd)
		err = writeAll(s.fd, data)
	}
	if err != nil {
		s.Discard()
		return nil, s.failed(err)
	}
	return s, nil
}

// Flush brings the file to the disk. Before that it must not be named: after a crash the name
// could lead to an empty file.
func (s *Staged) Flush() error {
	return s.failed(os.NewSyscallError("fsync", unix.Fsync(s.fd)))
}

// FlushAll is Flush for each of several files of one folder. It waits for the disk once, and for all
// that others have written there, where the file system is one whose syncfs(2) is an fsync(2) of
// every file: that of FUSE, for one, does not reach its server.
func FlushAll(files []*Staged) []error {
	flush := (*Staged).Flush
	if len(files) > 1 && files[0].dir.syncsWhole() && unix.Syncfs(files[0].dir.fd) == nil {
		flush = (*Staged).written
	}
	return many.Map(files, many.Waiting, flush)
}

// syncsWhole reports whether syncfs brings all files of the directory's file system to the disk.
func (d *Dir) syncsWhole() bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(d.fd, &fs) != nil {
		return false
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		return true
	}
	return false
}

// written reports what went wrong when the file was brought to the disk, which syncfs says of no
// file, and before Linux 5.8 not at all.
func (s *Staged) written() error {
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE |
		unix.SYNC_FILE_RANGE_WAIT_AFTER
	err := unix.SyncFileRange(s.fd, 0, 0, all)
	return s.failed(os.NewSyscallError("sync_file_range", err))
}

// failed names the file in err, if that is an error.
func (s *Staged) failed(err error) error {
	if err == nil {
		return nil
	}
	return s.dir.pathError("write", s.name, err)
}

// Name gives the file its name. The error matches fs.ErrExist if the name is taken. The name is on
// the disk once the directory is, by FlushDir.
func (s *Staged) Name() error {
	err := unix.Renameat2(s.dir.fd, s.tmp, s.dir.fd, s.name, unix.RENAME_NOREPLACE)
	s.named = err == nil
	return s.failed(err)
}

// FlushDir brings to the disk which names the directory has, of all files that were named in it.
func (s *Staged) FlushDir() error { return s.dir.sync() }

// Undo removes the file, whose change failed with err, and returns err. If the file cannot be
// removed, that matches ErrInForce.
func (s *Staged) Undo(err error) error {
	if !s.named {
		return err
	}
	if unix.Unlinkat(s.dir.fd, s.name, 0) != nil {
		return fmt.Errorf("%w; %w", err, ErrInForce)
	}
	return err
}

// Discard removes the file if it has not got its name.
func (s *Staged) Discard() {
	unix.Close(s.fd)
	if !s.named {
		unix.Unlinkat(s.dir.fd, s.tmp, 0)
	}
}
