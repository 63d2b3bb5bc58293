package terminal

/*
#include <fcntl.h>

// Before main, Go's runtime puts /dev/null in place of a standard descriptor that is closed,
// and libc does so in a setuid program, for reading. Written there, new recovery codes would be
// gone while the command succeeded.
static int unwritable;

__attribute__((constructor)) static void look(void)
{
	int flags = fcntl(1, F_GETFL);

	unwritable = flags < 0 || (flags & O_ACCMODE) == O_RDONLY;
}

static int output_is_closed(void) { return unwritable; }
*/
import "C"

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"latchkey/enroll/hint"
)

// output is standard output. It remembers what could not be written, so that no command
// succeeds that told nobody what it did.
type output struct {
	io.Writer
	failed error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil {
		o.failed = err
	}
	return n, err
}

// OutputClosed is the error of a program that was started with nowhere to write to.
func OutputClosed() error {
	if C.output_is_closed() == 0 {
		return nil
	}
	return unwritable(errors.New("it is closed"))
}

func unwritable(err error) error {
	what := fmt.Sprintf("standard output cannot be written: %v; nothing was changed", err)
	return hint.Error(what, "check where it is redirected to")
}

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
