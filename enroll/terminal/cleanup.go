package terminal

import (
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// ending are the signals that end a Go program, SIGKILL aside.
var ending = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGPIPE, unix.SIGILL, unix.SIGTRAP,
	unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSTKFLT, unix.SIGSYS,
}

// interrupted is the exit status of a program that a signal ended.
const interrupted = 1

// cleanup undoes what is half done when a signal ends the program: a terminal without echo, a
// color, a file.
type cleanup struct {
	mu      sync.Mutex
	undo    []func()
	signals chan os.Signal
}

// Until has undo called if a signal ends the program before done is. The calls nest.
func (c *cleanup) Until(undo func()) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.undo = append(c.undo, undo); len(c.undo) == 1 {
		c.signals = make(chan os.Signal, 1)
		signal.Notify(c.signals, ending...)
		go c.watch(c.signals)
	}
	return c.done
}

func (c *cleanup) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.undo = c.undo[:len(c.undo)-1]; len(c.undo) == 0 {
		signal.Stop(c.signals)
		close(c.signals)
	}
}

// End undoes what is half done, and ends the program with the status that last returns.
func (c *cleanup) End(last func() int) {
	c.mu.Lock()
	c.undoAll()
	os.Exit(last())
}

// undoAll is for the end of the program, with the lock held for good.
func (c *cleanup) undoAll() {
	for i := len(c.undo) - 1; i >= 0; i-- {
		c.undo[i]()
	}
}

// watch ends the program at the first signal, or itself once there is nothing left to undo.
func (c *cleanup) watch(signals <-chan os.Signal) {
	if _, ok := <-signals; !ok {
		return
	}
	c.mu.Lock()
	c.undoAll()
	os.Exit(interrupted)
}
