package safefile

import (
	"os"

	"golang.org/x/sys/unix"
)

// fsNoCOW is FS_NOCOW_FL of linux/fs.h: the file is overwritten in place. btrfs accepts it for a
// file that is empty, and passes it on to files created in a directory that has it.
const fsNoCOW = 0x00800000

// Preallocate is Replace for a file that is only overwritten in place from then on, which must
// work even when the disk is full. On a file system that copies on write, every write needs new
// blocks, so the file is exempted from that before it has any.
func (d *Dir) Preallocate(name string, data []byte) error {
	noCOW(d.fd) // a copy that an administrator puts here one day is exempt, too
	return d.put(name, data, noCOW, exchange)
}

// noCOW asks for overwriting in place. Most file systems do that anyway and do not know the flag.
func noCOW(fd int) {
	flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
	if err == nil && flags&fsNoCOW == 0 {
		unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, flags|fsNoCOW)
	}
}

// CopiedOnWrite reports whether writing to f takes new blocks of a btrfs: something other than
// Preallocate, such as a backup program, made the file. It cannot say so of other file systems
// that always copy on write (ZFS).
func CopiedOnWrite(f *os.File) bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &fs) != nil || fs.Type != unix.BTRFS_SUPER_MAGIC {
		return false
	}
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && flags&fsNoCOW == 0
}
