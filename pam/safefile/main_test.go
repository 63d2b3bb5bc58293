package safefile_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{
		"replace":       replace,
		"replace small": replaceWithSmallLimit,
		"hold":          hold,
	})
}

// replace is a role: it puts a file in place. The arguments are directory, name and content.
func replace(args []string) error {
	d, err := safefile.OpenDir(args[0])
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Replace(args[1], []byte(args[2]))
}

// replaceWithSmallLimit is replace under a limit on file sizes that the file exceeds.
func replaceWithSmallLimit(args []string) error {
	limit := unix.Rlimit{Cur: 100, Max: 100}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := replace(args); err != nil {
		return err
	}
	return errors.New("the limit did nothing")
}
