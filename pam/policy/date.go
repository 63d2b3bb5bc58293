package policy

import (
	"fmt"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Date is a day on the host's calendar, without a time zone. The zero Date is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// IsZero reports whether the date is unset.
func (d Date) IsZero() bool {
	return d == Date{}
}

// String returns the date as in the file, 2027-01-31, or "" if unset.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// date reads a TOML local date. The parser only finds that it looks like one.
func (v value) date(into *Date) error {
	const must = "be a date such as 2027-01-31, without quotes"
	if v.node.Kind != unstable.LocalDate {
		return v.refuse(must)
	}
	t, err := time.Parse(time.DateOnly, string(v.node.Data))
	if err != nil {
		return v.refuse(must)
	}
	into.Year, into.Month, into.Day = t.Date()
	return nil
}
