package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"latchkey/pam/factor/oath"
)

// options are those of a .google_authenticator file.
type options struct {
	seen    map[string]bool
	counter int64   // HOTP_COUNTER: the counter to expect next; 0: the secret is time-based
	step    int64   // seconds
	window  int64   // how many codes are accepted
	used    []int64 // time steps of codes that were used
	last    int64   // when a code was last typed, as far as the file says; seconds since 1970
	skew    int64   // time steps by which the app's clock is ahead
	rate    string  // how many attempts in how many seconds
	grace   bool    // logins from the same place were not asked for a code
}

// googleWindow is the module's own window: the current code and one to either side, as here.
const googleWindow = 3

func newOptions() options {
	return options{seen: map[string]bool{}, step: 30, window: googleWindow}
}

// maxTime is the latest time that is taken for one, in seconds since 1970 or in steps of them.
const maxTime = 1 << 40

// option reads what stands behind an option's quotation mark and blank. The module looks for a name
// there and at no other place.
func (o *options) option(text string) error {
	name, values := text, []string(nil)
	if end := strings.IndexAny(text, " \t"); end >= 0 {
		name, values = text[:end], strings.Fields(text[end:])
	}
	switch {
	case name == "":
		return oddity("an option without a name")
	case o.seen[name]:
		return oddity(name + " is there twice; the first one counts")
	}
	known, err := o.set(name, values)
	if !known {
		return oddity("an option that pam_google_authenticator does not have")
	}
	o.seen[name] = true
	return misread(name, err)
}

// misread is a value that is none. The module passes over it, so the rest of the file counts, but
// for two: it accepts no code of the app without knowing the length of a step, or which are used.
func misread(name string, err error) error {
	odd := oddity("")
	switch {
	case err == nil:
		return nil
	case errors.As(err, &odd):
		return oddity(string(odd) + name)
	case name == "STEP_SIZE" || name == "DISALLOW_REUSE":
		return fmt.Errorf("%s %w", name, err)
	}
	return oddity(fmt.Sprintf("%s %v", name, err))
}

func (o *options) set(name string, values []string) (known bool, err error) {
	switch name {
	case "TOTP_AUTH": // the module looks only whether it is there
	case "HOTP_COUNTER":
		err = leading(&o.counter, values, 1, oath.MaxCounter)
	case "STEP_SIZE":
		err = leading(&o.step, values, 1, 60)
	case "WINDOW_SIZE":
		err = number(&o.window, values, 1, 100)
	case "TIME_SKEW":
		err = number(&o.skew, values, -maxTime, maxTime)
	case "DISALLOW_REUSE":
		o.used, err = numbers(values, 0, len(values), 0, maxTime)
	case "RATE_LIMIT":
		err = o.setRate(values)
	case "RESETTING_TIME_SKEW": // codes that were typed and not accepted
	case "LAST0", "LAST1", "LAST2", "LAST3", "LAST4", "LAST5", "LAST6", "LAST7", "LAST8", "LAST9":
		err = o.setLast(values)
	default:
		return false, nil
	}
	return true, err
}

// setRate reads how many attempts are allowed in how many seconds, and when there were some.
func (o *options) setRate(values []string) error {
	all, err := numbers(values, 2, max(2, len(values)), 0, maxTime)
	if err != nil {
		return err
	}
	o.rate = fmt.Sprintf("%d %d", all[0], all[1])
	for _, when := range all[2:] {
		o.last = max(o.last, when)
	}
	return nil
}

// setLast reads from where and when the user logged in.
func (o *options) setLast(values []string) error {
	if len(values) != 2 {
		return errors.New("has too few or too many values")
	}
	var when int64
	err := number(&when, values[1:], 0, maxTime)
	o.last, o.grace = max(o.last, when), true
	return err
}

// leading reads the first value, and reports others that the module passes over. What it reads says
// which codes are right, so it must not be passed over itself.
func leading(into *int64, values []string, least, most int64) error {
	err := number(into, values[:min(1, len(values))], least, most)
	if err == nil && len(values) > 1 {
		return oddity("the words behind the value of ")
	}
	return err
}

func number(into *int64, values []string, least, most int64) error {
	all, err := numbers(values, 1, 1, least, most)
	if err == nil {
		*into = all[0]
	}
	return err
}

// numbers reads as many numbers, each from least to most.
func numbers(values []string, fewest, many int, least, most int64) ([]int64, error) {
	if len(values) < fewest || len(values) > many {
		return nil, errors.New("has too few or too many values")
	}
	all := make([]int64, len(values))
	for i, v := range values {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < least || n > most {
			return nil, fmt.Errorf("has a value that is not a number from %d to %d", least, most)
		}
		all[i] = n
	}
	return all, nil
}

// lastStep is the last time step of which a code may have been used. With DISALLOW_REUSE the
// module lists those that were, all but the one by which it found a skew; without, it is the
// latest that was accepted when a code was last typed.
func (o *options) lastStep() uint64 {
	step := int64(0)
	for _, used := range o.used {
		step = max(step, used)
	}
	if o.last > 0 && (!o.seen["DISALLOW_REUSE"] || o.skew != 0) {
		step = max(step, o.last/o.step+o.skew+max(1, o.window/2))
	}
	return uint64(step)
}

// lost says what has no counterpart here.
func (o *options) lost() (lost []string) {
	if o.window != googleWindow {
		here := "a code may be one step early or late"
		if o.counter > 0 {
			here = "a token may be 10 codes ahead"
		}
		lost = append(lost, fmt.Sprintf("WINDOW_SIZE %d (here %s)", o.window, here))
	}
	if o.rate != "" {
		lost = append(lost, "RATE_LIMIT "+o.rate+" (here latchkey.toml limits wrong codes)")
	}
	if o.grace {
		lost = append(lost, "LAST (here every login needs a code)")
	}
	if o.counter > 0 {
		return lost
	}
	if !o.seen["DISALLOW_REUSE"] {
		lost = append(lost, "no DISALLOW_REUSE (here a code works once)")
	}
	if o.skew != 0 {
		lost = append(lost, fmt.Sprintf("TIME_SKEW %d (the clocks of app and host differ by "+
			"%d seconds: set them right)",
			o.skew, max(o.skew, -o.skew)*o.step))
	}
	return lost
}

// oddity is what is wrong with a line that the module passes over: it says nothing against the
// rest.
type oddity string

func (o oddity) Error() string { return string(o) }
