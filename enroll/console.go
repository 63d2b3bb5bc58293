package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// console is where the user sits.
type console struct {
	guard
	in      *bufio.Reader
	inFile  *os.File
	out     io.Writer
	outFile *os.File
	err     io.Writer
	// shown: output goes to a terminal, not to a file or a pipe.
	shown bool
}

func newConsole(in, out, err *os.File) *console {
	return &console{
		in: bufio.NewReaderSize(in, 4096), inFile: in, out: &output{Writer: out}, outFile: out, err: err, shown: term.IsTerminal(int(out.Fd())),
	}
}

var errEnded = errors.New("no answer; nothing was changed")

// maxLine is the longest line that is read, in bytes.
const maxLine = 1024

// ask shows a prompt and reads a line.
func (c *console) ask(prompt string) (string, error) {
	if _, err := fmt.Fprint(c.out, prompt); err != nil {
		return "", unwritable(err)
	}
	return c.line()
}

func (c *console) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil && len(line) == 0 || len(line) > maxLine || errors.Is(err, bufio.ErrBufferFull) {
		return "", errEnded
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// askHidden is ask without echo, from before the prompt is seen. The terminal echoes again afterwards, also if a signal ends
// the program meanwhile.
func (c *console) askHidden(prompt string) (string, error) {
	fd := int(c.inFile.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return c.ask(prompt) // no terminal, nothing echoes
	}
	restore := func() { unix.IoctlSetTermios(fd, unix.TCSETS, before) }
	defer c.until(restore)()
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
		return "", fmt.Errorf("switch the terminal's echo off: %w", err)
	}
	defer restore()
	defer fmt.Fprintln(c.out)
	return c.ask(prompt)
}
