package factor

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/owner"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Keyring is all users' records and states.
type Keyring struct {
	Records record.Store
	States  state.Store
	Host    state.Store // of what is counted for the whole host
	Owners  *owner.Index
}

// NewKeyring is the keyring below root ("" for the system's), whose locks are waited for with patience.
func NewKeyring(root string, patience safefile.Patience) Keyring {
	return Keyring{
		Records: record.Store{Path: root + "/etc/latchkey/users", KeyPath: root + "/var/lib/latchkey"},
		States:  state.Store{Path: root + "/var/lib/latchkey/users", Patience: patience},
		Host:    state.Store{Path: root + "/var/lib/latchkey", Patience: patience},
		Owners:  &owner.Index{Path: root + "/var/lib/latchkey/uids"},
	}
}

// Errors that callers tell apart.
var (
	// ErrUnenrolled: the user has no record and never had one, and nothing else is wrong.
	ErrUnenrolled = errors.New("no second factor is set up")
	// ErrRecord: the record must not be used, or is missing and should not be.
	ErrRecord = errors.New("record")
	// ErrState: the state is not there, must not be used, or is locked by somebody else.
	ErrState = errors.New("state")
)

// Account is one user's record and state, together and locked until Close: nothing of either changes meanwhile. No account
// is kept open while a user is asked or a network is waited for.
type Account struct {
	Record *record.Record
	State  *state.File
}

// Open opens the account of name. The error matches one of ErrUnenrolled, ErrRecord and ErrState.
func (k Keyring) Open(u record.User) (*Account, error) {
	// The state is locked before the record is read, so that both are of the same moment. But a record without state
	// and a user without either must be told apart, so a state that is not there is not an error yet.
	st, stateErr := k.States.Open(u.Name)
	rec, err := k.Records.Load(u)
	if err == nil && errors.Is(stateErr, fs.ErrNotExist) {
		// The first enrollment may have made both between the two looks: it makes the state first.
		st, stateErr = k.States.Open(u.Name)
	}
	var read *state.State
	if st != nil {
		read = &st.State
	}
	if err := k.check(u, rec, err, read, stateErr); err != nil {
		if st != nil {
			st.Close()
		}
		return nil, err
	}
	return &Account{Record: rec, State: st}, nil
}

// check reports why what was read of record and state must not be used.
func (k Keyring) check(u record.User, r *record.Record, recordErr error, st *state.State, stateErr error) error {
	switch {
	case errors.Is(recordErr, fs.ErrNotExist):
		return k.withoutRecord(u, st, stateErr)
	case recordErr != nil:
		return fmt.Errorf("%w: %w", ErrRecord, recordErr)
	case stateErr != nil:
		return StateError(u.Name, stateErr)
	}
	return match(r, st)
}

// StateError says that name's state cannot be used, and what to do.
func StateError(name string, err error) error {
	if errors.Is(err, state.ErrSave) || errors.Is(err, safefile.ErrBusy) || errors.Is(err, safefile.ErrGone) {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return fmt.Errorf("%w: %w; to start over run: enroll reset %s", ErrState, err, name)
}

// match refuses a state that was not made with this record, a restored old one for instance. A state whose first
// enrollment was interrupted after the record was saved has no enrollment id yet, and gets it: the next commit keeps it.
func match(r *record.Record, st *state.State) error {
	if st.Enrollment == (state.EnrollmentID{}) && knowsAll(st, r) {
		st.Enrollment = r.Enrollment
	}
	if st.UID == r.UID && st.Enrollment == r.Enrollment {
		return nil
	}
	return fmt.Errorf("%w: it belongs to another enrollment; to start over run: enroll reset %s", ErrState, r.Name)
}

// knowsAll reports whether st was made for r's devices, whose ids are random.
func knowsAll(st *state.State, r *record.Record) bool {
	unknown := func(d record.Device) bool { return st.Device(d.ID) == nil }
	return len(r.Devices) > 0 && !slices.ContainsFunc(r.Devices, unknown)
}

// Close ends the lock.
func (a *Account) Close() { a.State.Close() }

// Result is what became of a code.
type Result int

// The zero value is not a success.
const (
	Wrong      Result = iota
	Impossible        // not compared: nothing that could let the user in has codes like this
	Replayed          // it was this device's code, but its time step or an earlier one was accepted before
	Locked            // not compared: too many guesses
	AskTwilio         // no code known here, charged as a guess: Twilio has to say whether it is one that was sent
	Accepted
)

// Guess is an answer to a prompt for a code.
type Guess struct {
	Code    string // as NormalizeAnswer passes it
	At      time.Time
	From    netip.Addr                 // the zero Addr: not known
	Accepts func(method.Method) bool   // whose codes may be used; nil: nothing's but root's
	Sent    func(p state.Pending) bool // which codes that were sent may be used; nil: none
}

// Match is a result, and whose code it was: a device's, or (without a device) what Method says. A code that was not accepted
// may have neither.
type Match struct {
	Result  Result
	Method  method.Method // the device's type, RecoveryCode or Bypass
	Device  *record.Device
	Refused state.Refused // the wrong guesses before this one
	Lockout Lockout       // as it is after this guess
	Checks  []Check       // with AskTwilio: what to compare the code with, in this order, until it is approved

	charged  time.Time // when the guess was charged
	compared bool      // with something that is known here
}

// Verify compares a guess with the user's devices and recovery codes, and with a code that root gave out. It uses up what it
// accepts and charges what is wrong, and has either on the disk, flushed once, before it returns: nothing that a guess led to
// can be seen before it counts. An error means that nothing may be accepted, and matches ErrState.
//
// A replayed code costs nothing: people who type it have seen the device's display, and learn nothing.
func (a *Account) Verify(g Guess, limits Limits) (Match, error) {
	lockout, err := a.Lockout(g.At, limits)
	if err != nil || lockout.Locked() {
		return Match{Result: Locked, Lockout: lockout}, err
	}
	m, err := a.compare(g)
	if err != nil {
		return Match{}, err
	}
	st := &a.State.State
	m.Refused = st.Refused
	switch m.Result {
	case Accepted:
		limits.settle(st, g.At)
		Accept(st)
	case Wrong:
		if m = a.book(m, g); m.Result == Impossible {
			return m, nil
		}
		m.charged = g.At
		limits.Charge(st, g.At, g.From)
		m.Lockout = limits.Lockout(st, g.At)
	default:
		return m, nil
	}
	if err := a.commit(); err != nil {
		return Match{}, err
	}
	return m, nil
}

// book decides what a code is that is not known here: one for Twilio, a wrong one, or none at all.
func (a *Account) book(m Match, g Guess) Match {
	m.Checks = a.bookChecks(g)
	switch {
	case len(m.Checks) > 0:
		m.Result = AskTwilio
	case !m.compared:
		m.Result = Impossible
	}
	return m
}

func (g Guess) accepts(method method.Method) bool { return g.Accepts != nil && g.Accepts(method) }

// compare finds what the code is of, and uses it up in memory. What nothing was compared with that could have let the user in
// was no guess.
func (a *Account) compare(g Guess) (Match, error) {
	m, err := a.compareDevices(g)
	for _, compare := range []func(Guess) (Match, error){a.compareRecovery, a.compareBypass} {
		if err != nil || m.Result != Wrong {
			return m, err
		}
		before := m.compared
		m, err = compare(g)
		m.compared = m.compared || before
	}
	return m, err
}

// Lockout returns the account's lock. One from the future (the clock was set back) begins now, durably, so that it ends
// limits.Lock after it was first seen and not when the clock is where it was. The error matches ErrState.
func (a *Account) Lockout(now time.Time, limits Limits) (Lockout, error) {
	st := &a.State.State
	if st.Locked.After(now) {
		st.Locked = now
		if err := a.commit(); err != nil {
			return Lockout{}, err
		}
	}
	return limits.Lockout(st, now), nil
}

func (a *Account) commit() error { return Commit(a.State) }

// Commit saves a state. The error matches ErrState.
func Commit(f *state.File) error {
	if err := f.Commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// compareDevices looks at every device, so that the time it takes does not tell which one matched.
func (a *Account) compareDevices(g Guess) (m Match, err error) {
	var counter uint64
	for i := range a.Record.Devices {
		d := &a.Record.Devices[i]
		used := a.State.Device(d.ID)
		if used == nil {
			return Match{}, fmt.Errorf("%w: it does not know the device %q", ErrState, d.Label)
		}
		if d.Digits != len(g.Code) || !isDigits(g.Code) || !g.accepts(d.Type) {
			continue
		}
		m.compared = true
		result, next, err := compareDevice(d, used, g.Code, g.At)
		if err != nil {
			return Match{}, err
		}
		if result > m.Result {
			m.Result, m.Method, m.Device, counter = result, d.Type, d, next
		}
	}
	if m.Result == Accepted {
		used := a.State.Device(m.Device.ID)
		used.Counter, used.Used, used.Resync = counter, g.At, 0
	}
	return m, nil
}

// compareDevice compares code with one device: the result is Wrong, Replayed or Accepted.
func compareDevice(d *record.Device, used *state.Device, code string, now time.Time) (Result, uint64, error) {
	if d.Type == method.HOTP {
		return compareHOTP(d, used, code)
	}
	step, found, err := FindStep(d, code, now, drift)
	switch {
	case err != nil || !found:
		return Wrong, 0, err
	case step > used.Counter:
		return Accepted, step, nil
	}
	return Replayed, 0, nil
}

// View reads name's record and state for display, also where nothing can be written. Errors are those of Open.
func (k Keyring) View(u record.User) (*record.Record, *state.State, error) {
	st, stateErr := k.States.View(u.Name)
	rec, err := k.Records.Load(u)
	if err := k.check(u, rec, err, st, stateErr); err != nil {
		return nil, nil, err
	}
	return rec, st, nil
}
