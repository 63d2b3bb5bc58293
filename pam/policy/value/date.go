package value

import (
	"fmt"
	"time"

	"latchkey/pam/strict"
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

// Read reads a TOML local date.
func (d *Date) Read(v strict.Value) error {
	var t time.Time
	if err := v.Date(&t); err != nil {
		return err
	}
	d.Year, d.Month, d.Day = t.Date()
	return nil
}
