package audit

// Untold is an event that the program of [notify] was not told, or failed on. Its format is an
// interface like a Line's.
type Untold struct {
	Event   string // one word
	User    string
	Program string
	Detail  string // why
}

// String returns the line without its line feed.
func (u Untold) String() string { return plain(u) }

func (u Untold) fields() []field {
	return []field{
		{"untold", u.Event, word}, {"user", u.User, text}, {"program", u.Program, text},
		{"detail", u.Detail, text},
	}
}
