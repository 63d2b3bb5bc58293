package admission_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/fleet/service/admission"
	"latchkey/pam/testroot"
)

// listen is a listener on loopback.
func listen(t *testing.T, limits admission.Limits) *admission.Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	l := admission.Listen(inner, limits, func(err error) { t.Errorf("got %v", err) })
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l *admission.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	testroot.Must(t, err)
	return c
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	testroot.Must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// ended demands that the other side has ended a connection, or ends it.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("got %v, want a connection that is ended", err)
	}
}

// next accepts one connection more, in another goroutine.
func next(l *admission.Listener) <-chan net.Conn {
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	return accepted
}

// waits demands that nothing was accepted, as far as can be seen.
func waits(t *testing.T, accepted <-chan net.Conn) {
	t.Helper()
	select {
	case c := <-accepted:
		t.Errorf("got %v, although all turns were taken", c)
	case <-time.After(20 * time.Millisecond):
	}
}

var roomy = admission.Limits{Served: 1, Waiting: 10, Open: 10, Wait: time.Minute,
	Turn: time.Minute}

func TestConnectionsAreServedInTurn(t *testing.T) {
	for name, giveUp := range map[string]func(l *admission.Listener, c net.Conn){
		"closed":   func(_ *admission.Listener, c net.Conn) { c.Close() },
		"answered": func(l *admission.Listener, c net.Conn) { l.Follow(c, http.StateIdle) },
		"outside": func(_ *admission.Listener, c net.Conn) {
			admission.Outside(admission.Note(t.Context(), c))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, roomy)
			asked := []net.Conn{dial(t, l), dial(t, l)}
			first := accept(t, l)
			other := next(l)
			waits(t, other)
			giveUp(l, first)
			giveUp(l, first) // as often as it likes
			second := <-other
			for i, c := range []net.Conn{first, second} {
				if c.RemoteAddr().String() != asked[i].LocalAddr().String() {
					t.Errorf("turn %d: got %v, want %v", i, c.RemoteAddr(), asked[i].LocalAddr())
				}
			}
			waits(t, next(l))
		})
	}
	admission.Outside(t.Context()) // of no connection
}

func TestConnectionWhoseQuestionDoesNotComeLosesItsTurn(t *testing.T) {
	limits := roomy
	limits.Turn = 5 * time.Millisecond
	l := listen(t, limits)
	dial(t, l)
	silent := accept(t, l)
	dial(t, l)
	accept(t, l)
	if _, err := silent.Write([]byte("x")); err != nil { // it only has no turn
		t.Errorf("the first one: got %v", err)
	}
}

func TestConnectionWhoseQuestionHasComeKeepsItsTurn(t *testing.T) {
	limits := roomy
	limits.Turn = 20 * time.Millisecond
	for range 50 { // on a busy machine the turn may be over before Asked
		l := listen(t, limits)
		dial(t, l)
		admission.Asked(admission.Note(t.Context(), accept(t, l)))
		dial(t, l)
		select {
		case <-next(l):
		case <-time.After(3 * limits.Turn):
			return
		}
	}
	t.Error("each connection lost its turn")
}

func TestQuestionOfNoConnectionHasNoTurnToKeep(t *testing.T) {
	admission.Asked(t.Context())
}

// fragile is a listener that fails before it accepts.
type fragile struct {
	net.Listener
	errs []error
}

func (f *fragile) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	return f.Listener.Accept()
}

func TestConnectionThatCannotBeAcceptedDoesNotEndTheService(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	told := make(chan error, 2)
	l := admission.Listen(&fragile{inner, []error{unix.EMFILE, unix.ENOBUFS}}, roomy,
		func(err error) { told <- err })
	defer l.Close()
	dial(t, l)
	accept(t, l).Close()
	for _, want := range []error{unix.EMFILE, unix.ENOBUFS} {
		if got := <-told; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestConnectionsThatAreTooManyAreEnded(t *testing.T) {
	limits := roomy
	limits.Waiting = 1
	l := listen(t, limits)
	dial(t, l)
	first := accept(t, l)
	dial(t, l)                                                    // waits
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil { // else it is ended already
		defer c.Close()
		ended(t, c)
	}
	if got := l.Refused.Load(); got != 1 {
		t.Errorf("got %d refused, want 1", got)
	}
	first.Close()
	accept(t, l)
}

func TestConnectionThatWaitedTooLongIsEnded(t *testing.T) {
	limits := roomy
	limits.Served, limits.Wait = 0, 10*time.Millisecond
	l := listen(t, limits)
	all := []net.Conn{dial(t, l), dial(t, l), dial(t, l)}
	next(l)
	for _, late := range all { // although no turn ever comes
		ended(t, late)
	}
}

func TestOnlySoManyConnectionsAreOpen(t *testing.T) {
	limits := roomy
	limits.Open = 2
	l := listen(t, limits)
	for i := range 2 {
		if l.Crowded() != (i > 1) {
			t.Errorf("%d open: got crowded %v", i, l.Crowded())
		}
		dial(t, l)
		l.Follow(accept(t, l), http.StateIdle)
	}
	if !l.Crowded() {
		t.Error("2 of 2 are open: got that more may be kept")
	}
	third := dial(t, l)
	next(l)
	ended(t, third)
}

func TestAcceptEndsWithItsListener(t *testing.T) {
	l := listen(t, roomy)
	l.Close()
	for range 2 {
		if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, %v; want net.ErrClosed", c, err)
		}
	}
}

func TestQuestionsWaitForASlotOnlySoLong(t *testing.T) {
	s := admission.NewSlots(admission.Limits{Transactions: 1, Wait: time.Millisecond})
	leave, err := s.Enter(t.Context(), false)
	testroot.Must(t, err)
	if _, err := s.Enter(t.Context(), false); err != admission.ErrBusy {
		t.Errorf("got %v, want ErrBusy", err)
	}
	entered := make(chan error)
	go func() {
		_, err := s.Enter(t.Context(), true)
		entered <- err
	}()
	select {
	case err := <-entered:
		t.Errorf("one that was begun: got %v while the slot was taken", err)
	case <-time.After(20 * time.Millisecond):
	}
	leave()
	if err := <-entered; err != nil {
		t.Errorf("one that was begun: got %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Enter(gone, true); !errors.Is(err, context.Canceled) {
		t.Errorf("whose host is gone: got %v", err)
	}
}
