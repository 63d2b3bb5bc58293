package audit

// Ended is a process of latchkey's that held a lock and made no progress (stopped, frozen,
// starved), so that a waiter ended it. That lost nothing, but the user who ran the process may
// have meant harm.
type Ended struct {
	Process int
	Program string
	UID     uint32
	Lock    string // the file that was locked
}

// String returns the line without its line feed.
func (e Ended) String() string { return plain(e) }

func (e Ended) fields() []field {
	return []field{
		count("ended", e.Process), {"program", e.Program, text}, count("uid", e.UID),
		{"lock", e.Lock, text},
	}
}
