package options

import (
	"strings"

	"latchkey/pam/record"
)

// users are the values of an option that names a user and may stand several times.
type users []string

// Set implements flag.Value.
func (u *users) Set(name string) error {
	if record.CheckName(name) != nil {
		return &mustBe{"the name of a user"}
	}
	*u = append(*u, name)
	return nil
}

// String implements flag.Value.
func (u *users) String() string { return strings.Join(*u, " ") }
