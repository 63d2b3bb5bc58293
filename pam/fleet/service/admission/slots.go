package admission

import (
	"context"
	"errors"
	"time"
)

// Slots are how many transactions are under way at the same time. Those that wait have their turn
// in the order in which they came.
type Slots struct {
	taken chan struct{}
	wait  time.Duration
}

// NewSlots makes slots.
func NewSlots(l Limits) *Slots {
	return &Slots{taken: make(chan struct{}, l.Transactions), wait: l.Wait}
}

// ErrBusy is of a question that was not begun, because it would have had to wait too long.
var ErrBusy = errors.New("busy")

// Enter waits for a slot, which the caller leaves, and no longer than ctx. What was begun before
// waits as long as ctx allows: to give it up would waste what was done. The error is ErrBusy, or
// that of ctx.
func (s *Slots) Enter(ctx context.Context, begun bool) (leave func(), err error) {
	if err := ctx.Err(); err != nil { // no one waits for the answer
		return nil, err
	}
	var late <-chan time.Time
	if !begun {
		timer := time.NewTimer(s.wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case s.taken <- struct{}{}:
		return func() { <-s.taken }, nil
	case <-late:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
