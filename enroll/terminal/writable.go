package terminal

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Writable looks whether standard output takes what will be written, before anything is
// changed. A write of nothing fails on /dev/full and on a terminal that was hung up; a pipe
// without a reader has an error; and a regular file is given the room, which makes it no
// longer.
func (c *Console) Writable() error {
	if c.outFile == nil {
		return nil
	}
	fd := int(c.outFile.Fd())
	polled := []unix.PollFd{{Fd: int32(fd)}}
	const gone = unix.POLLERR | unix.POLLNVAL
	if _, err := unix.Poll(polled, 0); err == nil && polled[0].Revents&gone != 0 {
		return unwritable(errors.New("no one reads it"))
	}
	if _, err := unix.Write(fd, nil); err != nil {
		return unwritable(err)
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	err := unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, st.Size, roomForOutput)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG) {
		return unwritable(err)
	}
	return nil // other errors are of file systems that cannot do that
}

// roomForOutput is more than any command that changes something writes, import aside, in bytes.
const roomForOutput = 4096

// Unwritten is the error of the last write to the console that failed; nil: none did.
func (c *Console) Unwritten() error {
	if o, ok := c.Out.(*output); ok {
		return o.failed
	}
	return nil
}
