package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/term"
)

// Typed reports whether a person types the input, and no program writes it.
func (c *Console) Typed() bool { return c.inFile != nil && term.IsTerminal(int(c.inFile.Fd())) }

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
