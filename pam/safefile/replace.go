package safefile

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const temporary = ".new-"

// Replace puts data under name in d, mode 0600, so that at any instant, a crash included, the name leads to the whole
// old file or to the whole new one: temporary file, fsync, rename, fsync of the directory. If it fails the old
// file stands.
func (d *Dir) Replace(name string, data []byte) error {
	return d.put(name, data, func(tmp string) error { return unix.Renameat(d.fd, tmp, d.fd, name) })
}

// Create is like Replace, but the error matches fs.ErrExist if name is there already.
func (d *Dir) Create(name string, data []byte) error {
	return d.put(name, data, func(tmp string) error {
		return unix.Renameat2(d.fd, tmp, d.fd, name, unix.RENAME_NOREPLACE)
	})
}

// Remove removes name and makes that durable. The error matches fs.ErrNotExist if it was not there.
func (d *Dir) Remove(name string) error {
	if err := plain(name); err != nil {
		return err
	}
	if err := unix.Unlinkat(d.fd, name, 0); err != nil {
		return d.pathError("remove", name, err)
	}
	return d.sync()
}

// Sweep removes temporary files that a killed Replace left. The caller holds d's lock, so that none is in use.
func (d *Dir) Sweep() {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), d.path)
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		if strings.HasPrefix(name, temporary) {
			unix.Unlinkat(d.fd, name, 0)
		}
	}
}

func (d *Dir) put(name string, data []byte, link func(tmp string) error) error {
	if err := plain(name); err != nil {
		return err
	}
	tmp, err := d.writeTemporary(data)
	if err == nil {
		err = link(tmp)
	}
	if err != nil {
		unix.Unlinkat(d.fd, tmp, 0)
		return d.pathError("write", name, err)
	}
	return d.sync()
}

func (d *Dir) writeTemporary(data []byte) (string, error) {
	random := make([]byte, 12)
	rand.Read(random) // never fails: crypto/rand ends the program instead
	tmp := temporary + hex.EncodeToString(random)
	fd, err := unix.Openat(d.fd, tmp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return tmp, err
	}
	f := os.NewFile(uintptr(fd), d.path+"/"+tmp)
	defer f.Close()
	if err := own(fd); err != nil {
		return tmp, err
	}
	if _, err := f.Write(data); err != nil {
		return tmp, err
	}
	return tmp, f.Sync()
}

// own makes mode and group what they should be whatever the caller's umask and group are (enroll is setuid).
func own(fd int) error {
	if os.Geteuid() == 0 {
		if err := unix.Fchown(fd, 0, 0); err != nil {
			return err
		}
	}
	return unix.Fchmod(fd, 0o600)
}

func (d *Dir) sync() error {
	if err := unix.Fsync(d.fd); err != nil {
		return d.pathError("sync", ".", err)
	}
	return nil
}
