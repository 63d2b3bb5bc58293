// Package terminal talks to the person who runs a program: it asks, also without echo, knows what
// their window can show, notices output that goes nowhere, and leaves the terminal as it found it.
package terminal

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

// Console is where the user sits.
type Console struct {
	cleanup
	In      *bufio.Reader
	inFile  *os.File
	Out     io.Writer
	outFile *os.File
	Err     io.Writer
	// Shown reports whether output goes to a terminal, not to a file or a pipe.
	Shown bool
}

// New makes a console of standard input, output and error.
func New(in, out, err *os.File) *Console {
	return &Console{
		In: bufio.NewReaderSize(in, 4096), inFile: in,
		Out: &output{Writer: out}, outFile: out, Err: err, Shown: term.IsTerminal(int(out.Fd())),
	}
}

var errEnded = errors.New("no answer; nothing was changed")

// maxLine is the longest line that is read, in bytes.
const maxLine = 1024

// Ask shows a prompt and reads a line.
func (c *Console) Ask(prompt string) (string, error) {
	if _, err := fmt.Fprint(c.Out, prompt); err != nil {
		return "", unwritable(err)
	}
	return c.line()
}

func (c *Console) line() (string, error) {
	line, err := c.In.ReadSlice('\n')
	ended := err != nil && len(line) == 0
	if ended || len(line) > maxLine || errors.Is(err, bufio.ErrBufferFull) {
		return "", errEnded
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// AskHidden is Ask without echo, from before the prompt is seen. The terminal echoes again
// afterwards, also if a signal ends the program meanwhile.
func (c *Console) AskHidden(prompt string) (string, error) {
	fd := int(c.inFile.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return c.Ask(prompt) // no terminal, nothing echoes
	}
	restore := func() { unix.IoctlSetTermios(fd, unix.TCSETS, before) }
	defer c.Until(restore)()
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
		return "", fmt.Errorf("switch the terminal's echo off: %w", err)
	}
	defer restore()
	defer fmt.Fprintln(c.Out)
	return c.Ask(prompt)
}
