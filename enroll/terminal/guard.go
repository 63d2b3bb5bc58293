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

// guard undoes what is half done when a signal ends the program: a terminal without echo, a color,
// a file.
type guard struct {
	mu      sync.Mutex
	undo    []func()
	signals chan os.Signal
}

// Until has undo called if a signal ends the program before done is. The calls nest.
func (g *guard) Until(undo func()) (done func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.undo = append(g.undo, undo); len(g.undo) == 1 {
		g.signals = make(chan os.Signal, 1)
		signal.Notify(g.signals, ending...)
		go g.watch(g.signals)
	}
	return g.done
}

func (g *guard) done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.undo = g.undo[:len(g.undo)-1]; len(g.undo) == 0 {
		signal.Stop(g.signals)
		close(g.signals)
	}
}

// End undoes what is half done, and ends the program with the status that last returns.
func (g *guard) End(last func() int) {
	g.mu.Lock()
	g.undoAll()
	os.Exit(last())
}

// undoAll is for the end of the program, with the lock held for good.
func (g *guard) undoAll() {
	for i := len(g.undo) - 1; i >= 0; i-- {
		g.undo[i]()
	}
}

// watch ends the program at the first signal, or itself once there is nothing left to undo.
func (g *guard) watch(signals <-chan os.Signal) {
	if _, ok := <-signals; !ok {
		return
	}
	g.mu.Lock()
	g.undoAll()
	os.Exit(interrupted)
}
