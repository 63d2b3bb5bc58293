package enrollment

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Claim is a number that users say is theirs, until a code sent to it proves that.
type Claim struct {
	record.User
	Number string // E.164
}

// Twilio has one verification for a number, whichever user asked for it: one code, and five sends
// and five checks that all users share. Claims use up no more of it than this, so the code that
// the number's owner was sent for a login still works, and one user cannot spoil another's claim
// either.
const (
	claimsOfUser = 2
	claimsOfHost = 3 // of all users together
)

// ErrLocked says that the user has typed too many wrong codes.
var ErrLocked = errors.New("too many wrong codes")

// ReserveClaim reserves a code that is sent to a claimed number, as ReserveSend does. A user
// without a record gets a state for it, which the enrollment that follows takes over. The error
// matches ErrLocked if the user is locked.
func (s Store) ReserveClaim(c Claim, sends limit.Sends, limits limit.Guesses, now time.Time) (
	wait time.Duration, err error) {
	err = s.Exclusive(func() error {
		if err := s.ensureHost(); err != nil {
			return err
		}
		if _, _, err := s.View(c.User); err != nil && !errors.Is(err, factor.ErrUnenrolled) {
			return err
		}
		used, err := s.claim(c)
		if err != nil {
			return err
		}
		own, err := s.claimant(c)
		if errors.Is(err, fs.ErrNotExist) {
			if err = s.States.Create(c.Name, state.State{UID: c.UID}); err == nil {
				own, err = s.claimant(c)
			}
		}
		if err != nil {
			return err
		}
		defer own.Close()
		if lockout, err := (&factor.Account{State: own}).Lockout(now, limits); err != nil {
			return err
		} else if lockout.Locked() {
			return ErrLocked
		}
		wait, err = s.Reserve(own, sends, now,
			factor.Reservation{Host: func(host *state.File) (time.Duration, error) {
				return used.send(host, now, sends.AtOnce)
			}})
		return err
	})
	return wait, err
}

// claimant opens the state of a user who claims a number. The error matches fs.ErrNotExist if
// there is none.
func (s Store) claimant(c Claim) (*state.File, error) {
	own, err := s.States.Open(c.Name)
	if err != nil {
		return nil, factor.StateError(c.Name, err)
	}
	if own.UID != c.UID {
		own.Close()
		return nil, fmt.Errorf("%w: it belongs to another user; to start again run: "+
			"enroll reset %s",
			factor.ErrState, c.Name)
	}
	return own, nil
}

// claimed is one user's claim to one number among the host's devices, all of which are claims: ID
// is the number's, Resync the user's, Counter holds both counts, and Used is when either last
// grew. A claim is forgotten once that is as long ago as a code lives, so no verification is ever
// used beyond the bounds.
type claimed struct {
	id   state.DeviceID
	user uint64
}

const (
	oneCheck = 1
	oneSend  = 1 << 32
)

func (s Store) claim(c Claim) (claimed, error) {
	id, err := s.Records.NumberID(c.Number)
	if err != nil {
		return claimed{}, fmt.Errorf("%w: %w", factor.ErrRecord, err)
	}
	return claimed{id, c.owner()}, nil
}

// owner is the user as a number. In a fleet names make users, and all uids are 0.
func (c Claim) owner() uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", c.User.UID, c.User.Name))
	return binary.BigEndian.Uint64(sum[:])
}

// use returns the user's entry, nil if there is none, and how many sends and checks all users
// together have made. It forgets entries that are over, and moves times that a clock set back has
// put into the future to now, durably.
func (c claimed) use(host *state.File, now time.Time) (
	mine *state.Device, sends, checks uint64, err error) {
	setBack := false
	for i := range host.Devices {
		if used := &host.Devices[i]; used.Used.After(now) {
			used.Used, setBack = now, true
		}
	}
	over := func(d state.Device) bool { return now.Sub(d.Used) >= factor.CodeLife }
	host.Devices = slices.DeleteFunc(host.Devices, over)
	if setBack {
		if err := factor.Commit(host); err != nil {
			return nil, 0, 0, err
		}
	}
	for i := range host.Devices {
		d := &host.Devices[i]
		if d.ID != c.id {
			continue
		}
		sends, checks = sends+d.Counter/oneSend, checks+d.Counter%oneSend
		if d.Resync == c.user {
			mine = d
		}
	}
	return mine, sends, checks, nil
}

// send counts a send if one more is allowed now. Otherwise it returns the time to wait. The caller
// commits.
func (c claimed) send(host *state.File, now time.Time, atOnce bool) (time.Duration, error) {
	mine, sends, _, err := c.use(host, now)
	if err != nil {
		return 0, err
	}
	switch {
	case sends >= claimsOfHost || mine != nil && c.exhausted(*mine):
		return factor.CodeLife,
			fmt.Errorf("%w: enough codes were sent to this number", factor.ErrNotYet)
	case mine == nil && len(host.Devices) == state.MaxDevices:
		return factor.CodeLife,
			fmt.Errorf("%w: too many numbers are being proven on this host", factor.ErrNotYet)
	case mine == nil:
		first := state.Device{ID: c.id, Resync: c.user, Counter: oneSend, Used: now}
		host.Devices = append(host.Devices, first)
		return 0, nil
	case !atOnce && mine.Used.Add(factor.FirstWait).After(now):
		wait := mine.Used.Add(factor.FirstWait).Sub(now)
		return wait, fmt.Errorf("%w: a code was sent to this number just now", factor.ErrNotYet)
	}
	mine.Counter, mine.Used = mine.Counter+oneSend, now
	return 0, nil
}

// exhausted reports whether another code would be of no use to the user, or one too many.
func (claimed) exhausted(mine state.Device) bool {
	return mine.Counter/oneSend >= claimsOfUser || mine.Counter%oneSend >= claimsOfUser
}

// ClaimCheck is a code typed as proof of a claim. Only with AskTwilio may it be compared.
type ClaimCheck struct {
	Result  factor.Result // AskTwilio; Locked; or Impossible: the code that was sent has expired
	Enough  bool          // with Locked, the reason: enough codes were compared for the number
	charged time.Time
}

// CheckClaim charges a code typed as proof of a claimed number: as a guess of the user who typed
// it, and as one of the number's few comparisons. Both are on the disk before it returns, and so
// before Twilio is asked.
func (s Store) CheckClaim(c Claim, limits limit.Guesses, now time.Time) (ClaimCheck, error) {
	used, err := s.claim(c)
	if err != nil {
		return ClaimCheck{}, err
	}
	own, err := s.claimant(c)
	if err != nil {
		return ClaimCheck{}, err
	}
	defer own.Close()
	if lockout, err := (&factor.Account{State: own}).Lockout(now, limits); err != nil ||
		lockout.Locked() {
		return ClaimCheck{Result: factor.Locked}, err
	}
	p, err := s.claimCheck(used, now)
	if err != nil || p.Result != factor.AskTwilio {
		return p, err
	}
	limits.Charge(&own.State, now, netip.Addr{})
	p.charged = now
	return p, factor.Commit(own)
}

// claimCheck counts a comparison, durably.
func (s Store) claimCheck(c claimed, now time.Time) (ClaimCheck, error) {
	host, err := s.OpenHost()
	if err != nil {
		return ClaimCheck{}, err
	}
	defer host.Close()
	mine, _, checks, err := c.use(host, now)
	switch {
	case err != nil:
		return ClaimCheck{}, err
	case mine == nil:
		return ClaimCheck{Result: factor.Impossible}, nil
	case checks >= claimsOfHost || mine.Counter%oneSend >= claimsOfUser:
		return ClaimCheck{Result: factor.Locked, Enough: true}, nil
	}
	mine.Counter, mine.Used = mine.Counter+oneCheck, now
	enough := checks+1 >= claimsOfHost || mine.Counter%oneSend >= claimsOfUser
	return ClaimCheck{Result: factor.AskTwilio, Enough: enough}, factor.Commit(host)
}

// EndClaim notes that Twilio has approved a code that CheckClaim charged: it was not a wrong
// guess, and with it all that users have used of the number's verification is gone.
func (s Store) EndClaim(c Claim, p ClaimCheck, limits limit.Guesses) error {
	used, err := s.claim(c)
	if err != nil {
		return err
	}
	own, err := s.claimant(c)
	if err != nil {
		return err
	}
	defer own.Close()
	limits.TakeBack(&own.State, p.charged)
	if err := factor.Commit(own); err != nil {
		return err
	}
	host, err := s.OpenHost()
	if err != nil {
		return err
	}
	defer host.Close()
	proven := func(d state.Device) bool { return d.ID == used.id }
	host.Devices = slices.DeleteFunc(host.Devices, proven)
	return factor.Commit(host)
}
