package migrate

import (
	"errors"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/gate/names"
	"latchkey/pam/record"
)

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
