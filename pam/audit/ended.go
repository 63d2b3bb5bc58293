package audit

import "strconv"

// Ended is a process of latchkey's that held a lock and did not go on (stopped, frozen, starved), so that somebody who waited
// for it ended it. Nothing was lost by that, but who ran it may have meant harm.
type Ended struct {
	Process int
	Program string
	UID     uint32
	Lock    string // the file
}

// String is the line without its line feed.
func (e Ended) String() string {
	return "latchkey: ended=" + strconv.Itoa(e.Process) + " program=" + quote(e.Program) +
		" uid=" + strconv.FormatUint(uint64(e.UID), 10) + " lock=" + quote(e.Lock)
}
