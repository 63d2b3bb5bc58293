package unprivileged

import "time"

// Bounds of the requests of one login: the gate gives a login 20 seconds, and what these leave of
// them is for all else.
const (
	allRequests = 15 * time.Second

	// Spare is how much longer than a request its program may take to start and to end.
	Spare = time.Second
)

// Budget is what one login's requests may still take, of which there may be several. The zero
// Budget is the whole of it.
type Budget struct{ spent time.Duration }

// Next returns how long the next request may take, which is most unless less is left, and false if
// that is too little for one.
func (b *Budget) Next(most time.Duration) (time.Duration, bool) {
	left := min(most, allRequests-b.spent)
	return left, left >= Spare
}

// Spend takes off the time of a request that was made.
func (b *Budget) Spend(t time.Duration) { b.spent += t }
