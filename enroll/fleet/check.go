package fleet

import (
	"fmt"
	"time"
)

// Level is what a check came to; its values are those of enroll doctor.
type Level string

// The values of Level.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Error   Level = "error"
)

// Check is one thing that was looked at; its JSON is an interface.
type Check struct {
	Check  string `json:"check"`
	Status Level  `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"`
}

// soon is how long before its end a certificate is told of.
const soon = 30 * 24 * time.Hour

// ends checks when a certificate ends.
func ends(of string, until, now time.Time, next string) Check {
	c := Check{Check: "certificate " + of, Status: OK,
		Detail: "good until " + until.UTC().Format(time.DateOnly), Hint: ""}
	switch left := until.Sub(now); {
	case left <= 0:
		c.Status, c.Hint = Error, next
		c.Detail = "it ran out on " + until.UTC().Format(time.DateTime) + " UTC"
	case left < soon:
		c.Status, c.Hint = Warning, next
		c.Detail = fmt.Sprintf("it runs out on %s, in %d days", until.UTC().Format(time.DateOnly),
			int(left/(24*time.Hour)))
	}
	return c
}
