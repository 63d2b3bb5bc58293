package factor

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Claim is a number that a user says is theirs, until a code that is sent to it proves that.
type Claim struct {
	record.User
	Number string // E.164
}

// Twilio has one verification for a number, whoever asked for it: one code, and five sends and
// five checks that all share. Claims use up no more of it than these: so the code that the
// number's owner was sent for a login still works, and one user cannot spoil another one's claim
// either.
const (
	claimsOfUser = 2
	claimsOfHost = 3 // of everyone together
)

// ErrLocked says that the user has typed too many wrong codes.
var ErrLocked = errors.New("too many wrong codes")

// BookProof books a code that is sent to a claimed number, like BookSend. A user who has no
// record yet gets a state for it, which the enrollment that follows takes over. The error
// matches ErrLocked if the user is locked.
func (k Keyring) BookProof(c Claim, sends SendLimits, limits Limits, now time.Time) (
	wait time.Duration, err error) {
	err = k.Exclusive(func() error {
		if err := k.EnsureHost(); err != nil {
			return err
		}
		if _, _, err := k.View(c.User); err != nil && !errors.Is(err, ErrUnenrolled) {
			return err
		}
		used, err := k.claim(c)
		if err != nil {
			return err
		}
		own, err := k.claimant(c)
		if errors.Is(err, fs.ErrNotExist) {
			if err = k.States.Create(c.Name, state.State{UID: c.UID}); err == nil {
				own, err = k.claimant(c)
			}
		}
		if err != nil {
			return err
		}
		defer own.Close()
		if lockout, err := (&Account{State: own}).Lockout(now, limits); err != nil {
			return err
		} else if lockout.Locked() {
			return ErrLocked
		}
		wait, err = k.book(own, sends, now, booking{host: func(host *state.File) (time.Duration, error) {
			return used.send(host, now, sends.AtOnce)
		}})
		return err
	})
	return wait, err
}

// claimant opens the state of a user who claims a number. The error matches fs.ErrNotExist if
// there is none.
func (k Keyring) claimant(c Claim) (*state.File, error) {
	own, err := k.States.Open(c.Name)
	if err != nil {
		return nil, stateError(c.Name, err)
	}
	if own.UID != c.UID {
		own.Close()
		return nil, fmt.Errorf("%w: it belongs to another user; to start again run: enroll reset %s",
			ErrState, c.Name)
	}
	return own, nil
}

// claimed is one user's claim to one number among the host's devices, of which there are no
// others: ID is the number's, Resync the user's, Counter has both counts, and Used is when
// either last grew. It is forgotten when that is as long ago as a code lives: so no verification
// ever meets more than the bounds.
type claimed struct {
	id  state.DeviceID
	uid uint64
}

const (
	oneCheck = 1
	oneSend  = 1 << 32
)

func (k Keyring) claim(c Claim) (claimed, error) {
	id, err := k.Records.NumberID(c.Number)
	if err != nil {
		return claimed{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return claimed{id, uint64(c.UID)}, nil
}

// use returns the user's entry, nil if there is none, and how often everyone together has sent
// and checked. It forgets what is over; times that the clock, set back, has put into the future
// are made durable as of now.
func (c claimed) use(host *state.File, now time.Time) (
	mine *state.Device, sends, checks uint64, err error) {
	setBack := false
	for i := range host.Devices {
		if used := &host.Devices[i]; used.Used.After(now) {
			used.Used, setBack = now, true
		}
	}
	over := func(d state.Device) bool { return now.Sub(d.Used) >= codeLife }
	host.Devices = slices.DeleteFunc(host.Devices, over)
	if setBack {
		if err := commitHost(host); err != nil {
			return nil, 0, 0, err
		}
	}
	for i := range host.Devices {
		d := &host.Devices[i]
		if d.ID != c.id {
			continue
		}
		sends, checks = sends+d.Counter/oneSend, checks+d.Counter%oneSend
		if d.Resync == c.uid {
			mine = d
		}
	}
	return mine, sends, checks, nil
}

// send counts a send, if there may be one more now. Otherwise it returns the time to wait. The
// caller commits.
func (c claimed) send(host *state.File, now time.Time, atOnce bool) (time.Duration, error) {
	mine, sends, _, err := c.use(host, now)
	if err != nil {
		return 0, err
	}
	switch {
	case sends >= claimsOfHost || mine != nil && exhausted(*mine):
		return codeLife, fmt.Errorf("%w: enough codes were sent to this number", ErrNotYet)
	case mine == nil && len(host.Devices) == state.MaxDevices:
		return codeLife, fmt.Errorf("%w: too many numbers are being proven on this host", ErrNotYet)
	case mine == nil:
		first := state.Device{ID: c.id, Resync: c.uid, Counter: oneSend, Used: now}
		host.Devices = append(host.Devices, first)
		return 0, nil
	case !atOnce && mine.Used.Add(firstWait).After(now):
		wait := mine.Used.Add(firstWait).Sub(now)
		return wait, fmt.Errorf("%w: a code was sent to this number just now", ErrNotYet)
	}
	mine.Counter, mine.Used = mine.Counter+oneSend, now
	return 0, nil
}

// exhausted reports whether another code would be no use to the user, or one too many.
func exhausted(mine state.Device) bool {
	return mine.Counter/oneSend >= claimsOfUser || mine.Counter%oneSend >= claimsOfUser
}

// Proof is a code that was typed as proof of a claim. Only with AskTwilio it may be compared.
type Proof struct {
	Result  Result // AskTwilio; Locked; or Impossible: what was sent has expired
	Enough  bool   // enough of the user's codes were compared for the number: with Locked, that is why
	charged time.Time
}

// BookProofCheck books a code that was typed as proof of a claimed number: as a guess of the
// user who typed it, and as one of the number's few comparisons. Both are on the disk before it
// returns, which is before Twilio is asked.
func (k Keyring) BookProofCheck(c Claim, limits Limits, now time.Time) (Proof, error) {
	used, err := k.claim(c)
	if err != nil {
		return Proof{}, err
	}
	own, err := k.claimant(c)
	if err != nil {
		return Proof{}, err
	}
	defer own.Close()
	account := &Account{State: own}
	if lockout, err := account.Lockout(now, limits); err != nil || lockout.Locked() {
		return Proof{Result: Locked}, err
	}
	p, err := k.claimCheck(used, now)
	if err != nil || p.Result != AskTwilio {
		return p, err
	}
	limits.charge(&own.State, now, netip.Addr{})
	p.charged = now
	return p, account.commit()
}

// claimCheck counts a comparison, durably.
func (k Keyring) claimCheck(c claimed, now time.Time) (Proof, error) {
	host, err := k.openHost()
	if err != nil {
		return Proof{}, err
	}
	defer host.Close()
	mine, _, checks, err := c.use(host, now)
	switch {
	case err != nil:
		return Proof{}, err
	case mine == nil:
		return Proof{Result: Impossible}, nil
	case checks >= claimsOfHost || mine.Counter%oneSend >= claimsOfUser:
		return Proof{Result: Locked, Enough: true}, nil
	}
	mine.Counter, mine.Used = mine.Counter+oneCheck, now
	enough := checks+1 >= claimsOfHost || mine.Counter%oneSend >= claimsOfUser
	return Proof{Result: AskTwilio, Enough: enough}, commitHost(host)
}

// EndProof notes that Twilio has approved a code that BookProofCheck has booked: it was no wrong
// guess, and what everyone has used of the number's verification is gone with it.
func (k Keyring) EndProof(c Claim, p Proof, limits Limits) error {
	used, err := k.claim(c)
	if err != nil {
		return err
	}
	own, err := k.claimant(c)
	if err != nil {
		return err
	}
	defer own.Close()
	limits.takeBack(&own.State, p.charged)
	if err := (&Account{State: own}).commit(); err != nil {
		return err
	}
	host, err := k.openHost()
	if err != nil {
		return err
	}
	defer host.Close()
	proven := func(d state.Device) bool { return d.ID == used.id }
	host.Devices = slices.DeleteFunc(host.Devices, proven)
	return commitHost(host)
}

func (k Keyring) openHost() (*state.File, error) {
	host, err := k.Host.Open(hostName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; see: enroll doctor", ErrState, err)
	}
	return host, nil
}

func commitHost(host *state.File) error {
	if err := host.Commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}
