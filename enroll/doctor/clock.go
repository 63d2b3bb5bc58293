package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// clockCheck is what findings about the clock are about.
const clockCheck = "this machine's clock"

// checkClock asks whether something keeps this machine's clock right. It is never an error: in a
// container the answer may be about nothing.
func checkClock(state func() (synchronized bool, err error)) Finding {
	const check, hint = clockCheck, "app codes need the right time: timedatectl set-ntp true"
	synchronized, err := state()
	switch {
	case err != nil:
		return warning(check, err.Error(), hint)
	case !synchronized:
		return warning(check, "the kernel says that it is not synchronized", hint)
	}
	return okay("something keeps this machine's clock right")
}

// clockState asks the kernel, which NTP daemons tell (adjtimex(2)).
func clockState() (bool, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return false, fmt.Errorf("ask for its state: %w", err)
	}
	return state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, nil
}
