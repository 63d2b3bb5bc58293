package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Progress shows how far a command is that takes long: on a terminal only, not before a second has
// passed, at most once a second, and gone when the command ends.
type Progress struct {
	out   io.Writer // nil: not a terminal
	clock func() time.Time
	what  string
	all   int // 0: no one knows

	mu    sync.Mutex
	done  int
	shown bool
	next  time.Time
}

// second is the time between two looks.
const second = time.Second

// Progress begins to count something on standard error, up to all; 0 if no one knows how many there
// are.
func (c *Console) Progress(what string, all int) *Progress {
	p := &Progress{clock: time.Now, what: what, all: all}
	if f, ok := c.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = f
	}
	p.next = p.clock().Add(second)
	return p
}

// Hide has p show nothing.
func (p *Progress) Hide() { p.out = nil }

// Step counts one more.
func (p *Progress) Step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.out == nil {
		return
	}
	now := p.clock()
	if now.Before(p.next) {
		return
	}
	p.shown, p.next = true, now.Add(second)
	of := ""
	if p.all > 0 {
		of = fmt.Sprintf(" of %d", p.all)
	}
	fmt.Fprintf(p.out, "\r%s: %d%s\x1b[K", p.what, p.done, of)
}

// End takes the line away.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}
