package migrate

import (
	"errors"
	"fmt"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/enrollment"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/takeover"
)

// User is a user of this system.
type User struct {
	record.User
	Home string
}

// candidate is a user who may be taken over.
type candidate struct {
	Outcome
	who   User
	entry source.Entry
}

// failed is a file of which nothing can be taken over.
func failed(path string, err error) *candidate {
	c := &candidate{Outcome: Outcome{File: path}}
	c.fail(err)
	return c
}

func (c *candidate) fail(err error) {
	if c.Result != Unknown {
		c.Result = Failed
	}
	c.Problem = err.Error()
}

// enrollment is what the file says.
func (c *candidate) enrollment() (e enrollment.Enrollment) {
	for _, d := range c.entry.Devices {
		e.Devices, e.Counters = append(e.Devices, d.Device), append(e.Counters, d.Counter)
	}
	if len(c.entry.Codes) > 0 {
		e.Recovery = enrollment.ImportedRecovery(c.entry.Codes)
	}
	return e
}

// became notes what a change led to.
func (c *candidate) became(o takeover.Outcome, err error) {
	inForce := errors.Is(err, safefile.ErrInForce)
	if err != nil && !inForce {
		c.fail(err)
		return
	}
	c.Result, c.Notes = string(o.Result), o.Notes
	if c.Result == Taken || c.Result == Replaced {
		c.tell()
	}
	if inForce {
		c.Problem = err.Error()
	}
}

// tell fills in what came over.
func (c *candidate) tell() {
	for _, d := range c.entry.Devices {
		c.Devices = append(c.Devices, Device{d.Type, d.Label, d.Hint()})
	}
	c.Codes, c.Lost, c.Notes = len(c.entry.Codes), c.entry.Lost, c.entry.Notes
}

// standsToo fails a candidate who stands in another place too, if nothing has failed them yet.
func (c *candidate) standsToo(other *candidate) {
	if c.Result == "" {
		c.fail(fmt.Errorf("is also in %s", shown(other.File)))
	}
}

func isPhone(d source.Device) bool { return d.Type == method.Phone }
