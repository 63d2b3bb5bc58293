// Package terminal runs programs on pseudo-terminals, and sees what a person would see there.
package terminal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/sshd/poll"
)

// Limit bounds a wait: a hang is a failure, not a stuck test. It is for programs that run on
// machines which are slower than this one to raise it, before they start anything.
var Limit = 2 * time.Minute

// Terminal is a program on a pseudo-terminal, and what was seen there.
type Terminal struct {
	cmd    *exec.Cmd
	master *os.File
	ended  chan struct{} // closed when the program has ended

	mu   sync.Mutex
	seen strings.Builder
	mark int // everything before it was matched already
}

// New starts argv on a new pseudo-terminal that says neither how large it is nor what it can show.
func New(argv []string) (*Terminal, error) { return NewSized(0, 0, argv) }

// NewSized starts argv on a new pseudo-terminal with so many columns and rows.
func NewSized(columns, rows int, argv []string) (*Terminal, error) {
	master, slave, err := openPTY()
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	if err := resize(master, columns, rows); err != nil {
		return nil, errors.Join(err, master.Close())
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TERM=dumb", "LANG=C.UTF-8",
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, master.Close())
	}
	t := &Terminal{cmd: cmd, master: master, ended: make(chan struct{})}
	go t.read()
	return t, nil
}

// openPTY is the three calls of pts(4).
func openPTY() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	return master, slave, nil
}

// Resize changes the size of the window.
func (t *Terminal) Resize(columns, rows int) error { return resize(t.master, columns, rows) }

func resize(master *os.File, columns, rows int) error {
	return unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ,
		&unix.Winsize{Col: uint16(columns), Row: uint16(rows)})
}

func (t *Terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := t.master.Read(buf)
		t.mu.Lock()
		t.seen.Write(buf[:n])
		t.mu.Unlock()
		if err != nil {
			break // EIO: the last process has closed the other side
		}
	}
	_ = t.cmd.Wait()
	close(t.ended)
}

// Seen is everything on the terminal so far.
func (t *Terminal) Seen() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ReplaceAll(t.seen.String(), "\r", "")
}

// Expect waits, at most Limit and not beyond the end of the program, until the pattern appears
// after what was matched before.
func (t *Terminal) Expect(pattern string) error {
	re := regexp.MustCompile(pattern)
	var never error
	err := poll.Until(fmt.Sprintf("%q on the terminal", pattern), Limit, func() error {
		ended := t.hasEnded() // and then has shown everything
		err := t.match(re)
		if ended && err != nil {
			never = fmt.Errorf("%q on the terminal of a program that has ended: %w", pattern, err)
			return nil
		}
		return err
	})
	return errors.Join(err, never)
}

func (t *Terminal) hasEnded() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// match looks for the pattern behind what was matched before.
func (t *Terminal) match(re *regexp.Regexp) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.seen.String()
	at := re.FindStringIndex(all[t.mark:])
	if at == nil {
		return fmt.Errorf("not seen in %q", all[t.mark:])
	}
	t.mark += at[1]
	return nil
}

// Type sends a line. The pseudo-terminal shows it only if the program wants it shown.
func (t *Terminal) Type(line string) error {
	_, err := t.master.WriteString(line + "\n")
	return err
}

// Pid is the program's process id.
func (t *Terminal) Pid() int { return t.cmd.Process.Pid }

// Signal sends the program a signal.
func (t *Terminal) Signal(s os.Signal) { _ = t.cmd.Process.Signal(s) }

// Exit waits, at most Limit, for the program to end and gives its exit status.
func (t *Terminal) Exit() (int, error) {
	select {
	case <-t.ended:
		return t.cmd.ProcessState.ExitCode(), nil
	case <-time.After(Limit):
		return -1, fmt.Errorf("%s has not ended after %v; seen: %q", t.cmd.Args[0],
			Limit, t.Seen())
	}
}

// Close hangs up; the program gets SIGHUP, and SIGKILL if it stays.
func (t *Terminal) Close() {
	select {
	case <-t.ended:
	default:
		_ = t.cmd.Process.Kill()
		<-t.ended
	}
	_ = t.master.Close()
}
