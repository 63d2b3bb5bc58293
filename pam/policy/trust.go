package policy

import "latchkey/pam/strict"

// Trust is the table [trust]: computers that need no code for a while.
type Trust struct {
	Days int    // how long, 0 to 365; 0 switches trust off
	Bind []Bind // what a computer is recognised by, all of it, never empty after Parse
}

// Bind is something a trusted computer is recognised by.
type Bind string

// The values of `bind`.
const (
	BindKey     Bind = "key"     // the SSH key it used
	BindAddress Bind = "address" // the address it came from
)

func (t *Trust) set(v strict.Value) error {
	switch v.Name {
	case "days":
		return v.Int(&t.Days, 0, 365)
	case "bind":
		return strict.Some(v, &t.Bind, strict.Word(BindKey, BindAddress))
	}
	return v.Unknown()
}
