package dispatch

import "time"

// Spend takes time from what all requests together may take.
func (d *Dispatcher) Spend(t time.Duration) { d.budget.Spend(t) }
