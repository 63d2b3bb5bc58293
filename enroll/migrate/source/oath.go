package source

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
)

// Oath reads pam_oath's users file, as liboath's usersfile.c reads it: type, user, PIN, secret in
// hex, and what the last login left: moving factor, code and local time (that of now's location).
// Several lines of one user are several tokens.
func Oath(r io.Reader, name string, now time.Time) ([]Entry, error) {
	b, err := readText(r, name, MaxFile)
	if err != nil {
		return nil, err
	}
	var users entries
	var passedOver []oddLine
	for i, line := range strings.Split(string(b), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		user := ""
		if len(words) > 1 {
			user = words[1]
		}
		e := users.of(user)
		err := e.addOath(words, now)
		if odd := oddity(""); errors.As(err, &odd) {
			passedOver = append(passedOver, oddLine{e, i + 1, odd})
		} else if err != nil {
			e.fail(name, i+1, err)
		}
	}
	for _, odd := range passedOver {
		odd.tell(name)
	}
	return users.list(), nil
}

// oddLine is a line that liboath passes over.
type oddLine struct {
	e    *Entry
	line int
	odd  oddity
}

// tell says so to a user who has others, and to one who has not that there is nothing.
func (o oddLine) tell(file string) {
	if len(o.e.Devices) == 0 {
		o.e.fail(file, o.line, o.odd)
	} else {
		o.e.note(&o.e.Notes, fmt.Sprintf("line %d was ignored: %s", o.line, o.odd))
	}
}

// oathTypes are the types that liboath knows: digits of a code, and seconds of a time step or 0.
var oathTypes = map[string]struct {
	digits int
	step   time.Duration
}{
	"HOTP": {6, 0}, "HOTP/E": {6, 0}, "HOTP/E/6": {6, 0}, "HOTP/E/7": {7, 0}, "HOTP/E/8": {8, 0},
	"HOTP/T30": {6, 30}, "HOTP/T30/6": {6, 30}, "HOTP/T30/7": {7, 30}, "HOTP/T30/8": {8, 30},
	"HOTP/T60": {6, 60}, "HOTP/T60/6": {6, 60}, "HOTP/T60/7": {7, 60}, "HOTP/T60/8": {8, 60},
}

// addOath gives the entry the token of a line.
func (e *Entry) addOath(words []string, now time.Time) error {
	kind, known := oathTypes[words[0]]
	if !known {
		return oddity("a type of token that pam_oath does not have")
	}
	if len(words) < 4 || len(words) > 7 {
		return errors.New("not 4 to 7 fields: type, user, PIN, secret, counter, last code, time")
	}
	switch words[2] {
	case "-":
	case "+":
		e.note(&e.Lost, "PIN + (here the password is asked for by itself)")
	default:
		return errors.New("it has a PIN, which latchkey does not support")
	}
	secret, err := hex.DecodeString(words[3])
	if err != nil {
		return errors.New("the secret is not in hexadecimal")
	}
	used, err := readOathUse(words[4:], now.Location())
	if err != nil {
		return err
	}
	label := e.freeLabel("oath")
	if kind.step == 0 {
		return e.add(Device{enrollment.NewHOTP(label, secret, "SHA1", kind.digits, now),
			used.next()}, now)
	}
	d := enrollment.NewTOTP(label, secret, "SHA1", kind.digits, kind.step*time.Second, now)
	if err := d.Check(); err != nil {
		return err
	}
	step, err := used.step(&d, now)
	if err != nil {
		return err
	}
	return e.add(Device{d, step}, now)
}

// oathUse is what the last login left in a line.
type oathUse struct {
	moving uint64
	code   string    // empty: there was none
	when   time.Time // zero: it is not known
}

func readOathUse(words []string, local *time.Location) (u oathUse, err error) {
	if len(words) > 0 {
		if u.moving, err = strconv.ParseUint(words[0], 10, 64); err != nil ||
			u.moving >= oath.MaxCounter {
			return u, errors.New("the counter is not a number, or too large")
		}
	}
	if len(words) > 1 {
		if u.code = words[1]; strings.Trim(u.code, "0123456789") != "" {
			return u, errors.New("the last code is not a number")
		}
	}
	if len(words) > 2 {
		if u.when, err = time.ParseInLocation("2006-01-02T15:04:05L", words[2],
			local); err != nil {
			return u, errors.New("the time is not written as 2027-01-31T12:00:00L")
		}
	}
	return u, nil
}

// next is the counter to expect of a token: liboath keeps the one that was used last.
func (u oathUse) next() uint64 {
	if u.code != "" {
		return u.moving + 1
	}
	return u.moving
}

// oathReach is how many time steps to either side a code was accepted: pam_oath's README calls 50
// much.
const oathReach = 50

// step is the time step of the last code. It is looked for around the time at which it was used,
// which is local and may be that of another place, and around now, where it would still be
// accepted. If it is not found, it is taken to be of that time.
func (u oathUse) step(d *record.Device, now time.Time) (last uint64, err error) {
	if u.code == "" {
		return 0, nil
	}
	if !u.when.IsZero() && u.when.Before(now) {
		last = oath.Step(d, u.when)
		if step, found, err := oath.FindStep(d, u.code, u.when, oathReach); err != nil {
			return 0, err
		} else if found {
			last = step
		}
	}
	step, found, err := oath.FindStep(d, u.code, now, oathReach)
	if found {
		last = max(last, step)
	}
	return last, err
}
