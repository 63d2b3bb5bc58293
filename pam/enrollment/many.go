package enrollment

import "latchkey/pam/opened"

// ExclusiveMany is Exclusive for a change of many accounts, made with the Store that change gets.
func (s Store) ExclusiveMany(change func(s Store) error) error {
	return s.exclusive(true, func() error {
		k, done, err := opened.Once(s.Keyring)
		if err != nil {
			return err
		}
		defer done()
		return change(Store{k})
	})
}
