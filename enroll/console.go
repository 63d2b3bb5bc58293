package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// console is where the user sits.
type console struct {
	in     *bufio.Reader
	inFile *os.File
	out    io.Writer
	err    io.Writer
	// shown: output goes to a terminal, not to a file or a pipe.
	shown bool
}

func newConsole(in, out, err *os.File) *console {
	return &console{
		in: bufio.NewReaderSize(in, 4096), inFile: in, out: out, err: err, shown: term.IsTerminal(int(out.Fd())),
	}
}

var errEnded = errors.New("no answer; nothing was changed")

// maxLine is the longest line that is read, in bytes.
const maxLine = 1024

// ask shows a prompt and reads a line.
func (c *console) ask(prompt string) (string, error) {
	fmt.Fprint(c.out, prompt)
	return c.line()
}

func (c *console) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil && len(line) == 0 || len(line) > maxLine || errors.Is(err, bufio.ErrBufferFull) {
		return "", errEnded
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// ending are the signals that end a Go program, SIGKILL aside.
var ending = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGPIPE, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT,
	unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSTKFLT, unix.SIGSYS,
}

// askHidden is ask without echo, from before the prompt is seen. The terminal echoes again afterwards, also if a signal ends
// the program meanwhile.
func (c *console) askHidden(prompt string) (string, error) {
	fd := int(c.inFile.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return c.ask(prompt) // no terminal, nothing echoes
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, ending...)
	defer signal.Stop(signals)
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
		return "", fmt.Errorf("switch the terminal's echo off: %w", err)
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-signals:
			unix.IoctlSetTermios(fd, unix.TCSETS, before)
			os.Exit(exitFailed)
		case <-done:
		}
	}()
	defer unix.IoctlSetTermios(fd, unix.TCSETS, before)
	defer fmt.Fprintln(c.out)
	return c.ask(prompt)
}
