package migrate

import (
	"errors"
	"fmt"
	"slices"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/gate/names"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

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

// tell fills in what came over.
func (c *candidate) tell() {
	for _, d := range c.entry.Devices {
		c.Devices = append(c.Devices, Device{d.Type, d.Label, d.Hint()})
	}
	c.Codes, c.Lost, c.Notes = len(c.entry.Codes), c.entry.Lost, c.entry.Notes
}

func (c *candidate) hasPhone() bool {
	return slices.ContainsFunc(c.entry.Devices, isPhone)
}

func isPhone(d source.Device) bool { return d.Type == method.Phone }

// identify finds out who the candidates are. A user who stands in two places is taken over from
// neither: the files do not say which is right.
func (m *migration) identify() {
	first := map[string]*candidate{}
	for _, c := range m.all {
		name := c.entry.User
		if c.Result == "" {
			if err := m.lookUp(c); err != nil {
				c.fail(err)
			} else {
				name = c.who.Name
			}
		}
		if name == "" {
			continue
		}
		if other := first[name]; other != nil {
			c.standsToo(other)
			other.standsToo(c)
		}
		first[name] = c
	}
}

// standsToo fails a candidate, if nothing has yet, who stands in another place too.
func (c *candidate) standsToo(other *candidate) {
	if c.Result == "" {
		c.fail(fmt.Errorf("is also in %s", shown(other.File)))
	}
}

func (m *migration) lookUp(c *candidate) (err error) {
	if c.who == (User{}) {
		if c.who, err = m.LookUp(c.entry.User); err != nil {
			switch {
			case errors.Is(err, names.ErrUnknown):
				c.Result, err = Unknown, names.ErrUnknown
			case errors.Is(err, record.ErrName):
				err = record.ErrName // without the name, which the line has already
			}
			return err
		}
	}
	c.User = c.who.Name
	return m.checkPhones(c.entry)
}

// checkPhones refuses an entry with a phone that no code could be sent to.
func (m *migration) checkPhones(e source.Entry) error {
	for _, d := range e.Devices {
		if !isPhone(d) {
			continue
		}
		if err := m.CheckPhone(d.Device); err != nil {
			return err
		}
	}
	return nil
}
