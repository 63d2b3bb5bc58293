package safefile

import (
	"os"

	"golang.org/x/sys/unix"
)

// fsNoCOW is FS_NOCOW_FL of linux/fs.h: the file is overwritten where it is. btrfs takes it for a
// file that is empty, and gives it to what is created in a directory that has it.
const fsNoCOW = 0x00800000

// btrfs is the magic number of the file system that copies on write unless a file says otherwise.
const btrfs = 0x9123683e

// Preallocate is Replace for a file that is only ever overwritten in place from then on, and must
// be also when the disk is full. On a file system that copies on write every write needs new
// blocks, so the file is excepted from that before it has any.
func (d *Dir) Preallocate(name string, data []byte) error {
	noCOW(d.fd) // a copy that an administrator puts here one day is excepted, too
	return d.put(name, data, noCOW, d.exchange)
}

// noCOW asks for overwriting in place. Most file systems do that anyway, and do not know the flag.
func noCOW(fd int) {
	flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
	if err == nil && flags&fsNoCOW == 0 {
		unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, flags|fsNoCOW)
	}
}

// CopiedOnWrite reports whether writing to f takes new blocks of a btrfs: the file was made by
// something else than Preallocate, a backup program for instance. Of other file systems that
// always do (ZFS) it knows nothing.
func CopiedOnWrite(f *os.File) bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &fs) != nil || fs.Type != btrfs {
		return false
	}
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && flags&fsNoCOW == 0
}
