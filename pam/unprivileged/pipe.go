package unprivileged

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipe is a pipe whose ends are closed once.
type pipe struct{ read, write int }

func newPipe() (*pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	return &pipe{ends[0], ends[1]}, nil
}

func (p *pipe) closeRead()  { closeOnce(&p.read) }
func (p *pipe) closeWrite() { closeOnce(&p.write) }
func (p *pipe) close()      { p.closeRead(); p.closeWrite() }

func closeOnce(fd *int) {
	if *fd >= 0 {
		unix.Close(*fd)
		*fd = -1
	}
}
