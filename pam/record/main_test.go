package record_test

import (
	"testing"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{"save": save})
}

// save is a role: it gives alice, who has a phone, a tablet as well. The arguments are the
// directories of the records and of the key.
func save(args []string) error {
	return record.Store{Path: args[0], KeyPath: args[1]}.Save(
		alice(testroot.TOTP("phone"), testroot.TOTP("tablet")))
}

func alice(devices ...record.Device) *record.Record {
	return &record.Record{
		Name:       "alice",
		UID:        1000,
		Enrollment: [16]byte{1, 2, 3},
		Devices:    devices,
	}
}

// saved returns a store with a record of alice.
func saved(t *testing.T) (root testroot.Root, s record.Store) {
	t.Helper()
	root = testroot.New(t)
	s = root.Keyring().Records.(record.Store)
	testroot.Must(t, s.Save(alice(testroot.TOTP("phone"))))
	return root, s
}
