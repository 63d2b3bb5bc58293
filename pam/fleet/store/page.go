package store

import (
	"errors"
	"io/fs"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Users lists users as factor.Keyring's Names does, but only those whose keys come behind another
// user's, in the order of keys, and at most that many bytes of names; more reports whether
// others follow. A list of all in one transaction would take too long for one question.
func (t *Txn) Users(after string, most int) (page []string, more bool, err error) {
	if after != "" && record.CheckName(after) != nil {
		return nil, false, record.ErrName
	}
	size, name, recorded := 0, "", false
	settle := func() bool {
		if name == "" || !recorded && !t.lost(name) {
			return true
		}
		if size += len(name); size > most && len(page) > 0 {
			more = true
			return false
		}
		page = append(page, name)
		return true
	}
	err = t.eachUser(after, func(key string) bool {
		of, what := userOf(key)
		if of != name {
			if !settle() {
				return false
			}
			name, recorded = of, false
		}
		recorded = recorded || what == "record"
		return true
	})
	if err == nil && !more {
		settle()
	}
	return page, more, err
}

// lost reports whether a user who has no record had one, as factor.Keyring does.
func (t *Txn) lost(name string) bool {
	st, err := t.state(name)
	return err != nil && !errors.Is(err, fs.ErrNotExist) ||
		err == nil && st.Enrollment != state.EnrollmentID{}
}
