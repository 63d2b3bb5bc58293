package hosts

import (
	"time"

	"latchkey/pam/limit"
)

// Limits bound what a host can do that was stolen, or through which someone guesses.
type Limits struct {
	Failures limit.Rate    // so many wrong codes within a time …
	Users    int           // … or wrong codes of so many users within that time …
	Lasts    time.Duration // … put it into quarantine for so long
}

// Failures are the wrong codes that came from a host.
type Failures struct {
	Codes []int64 `json:"codes,omitempty"` // Unix times, oldest first
	// Users are the latest for each user; those who were there before the window are not kept.
	Users map[string]int64 `json:"users,omitempty"`
	// Quarantine is when it ends; zero: there is none.
	Quarantine time.Time `json:"quarantine,omitzero"`
}

// Charge counts a wrong code, and reports whether that begins a quarantine.
func (f *Failures) Charge(l Limits, user string, now time.Time) (begins bool) {
	f.settle(l, now)
	f.Codes = append(f.Codes, now.Unix())
	if f.Users == nil {
		f.Users = map[string]int64{}
	}
	f.Users[user] = now.Unix()
	if len(f.Codes) < l.Failures.Count && len(f.Users) < l.Users {
		return false
	}
	*f = Failures{Quarantine: now.Add(l.Lasts)}
	return true
}

// settle forgets what is older than the window. A time from the future, from a service whose clock
// is fast, counts as now.
func (f *Failures) settle(l Limits, now time.Time) {
	oldest := now.Add(-l.Failures.Window).Unix()
	kept := f.Codes[:0]
	for _, at := range f.Codes {
		if at = min(at, now.Unix()); at > oldest {
			kept = append(kept, at)
		}
	}
	f.Codes = kept
	for user, at := range f.Users {
		if at <= oldest {
			delete(f.Users, user)
		}
	}
	if !f.Quarantined(now) {
		f.Quarantine = time.Time{}
	}
}

// Quarantined reports whether the host is in quarantine.
func (f *Failures) Quarantined(now time.Time) bool { return now.Before(f.Quarantine) }
