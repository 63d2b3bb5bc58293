package testfleet

import "time"

// Watch is a clock that runs ten times slower than time and begins just after the beginning of a
// time step: neither a slow machine nor an unlucky moment makes a code another one, or a question
// too old, during a test. The zero Watch is time itself. Its JSON is for other processes.
type Watch struct{ Began, Shown time.Time }

// newWatch is a watch that begins now.
func newWatch() Watch {
	now := time.Now()
	return Watch{Began: now, Shown: now.Truncate(30 * time.Second).Add(time.Second)}
}

// slower is by how much a watch is slower than time.
const slower = 10

// Now is what the watch shows.
func (w Watch) Now() time.Time {
	if w.Began.IsZero() {
		return time.Now()
	}
	return w.Shown.Add(time.Since(w.Began) / slower)
}
