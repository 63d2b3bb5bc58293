package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// Typed reports whether a person types the input, and no program writes it.
func (c *Console) Typed() bool { return c.inFile != nil && term.IsTerminal(int(c.inFile.Fd())) }

// FromTerminal has answers come from the terminal that the program was started on, where standard
// input is something else.
func (c *Console) FromTerminal() error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	c.In, c.inFile = bufio.NewReaderSize(tty, 4096), tty
	return nil
}

// AskLong is Ask for a line that may be as long as a terminal takes: 4095 bytes.
func (c *Console) AskLong(prompt string) (string, error) {
	if _, err := fmt.Fprint(c.Out, prompt); err != nil {
		return "", unwritable(err)
	}
	line, err := c.In.ReadSlice('\n')
	if err != nil && len(line) == 0 || errors.Is(err, bufio.ErrBufferFull) {
		return "", errEnded
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}
