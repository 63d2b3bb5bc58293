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

	"latchkey/enroll/hint"
)

// output is standard output. It remembers what could not be written, so that no command
// succeeds that told no one what it did.
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
