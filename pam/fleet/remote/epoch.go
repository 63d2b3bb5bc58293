package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/fleet/wire"
	"latchkey/pam/safefile"
)

// EpochPath is the file with the highest epoch that a host has seen.
const EpochPath = "/var/lib/latchkey/fleet.epoch"

const (
	epochFolder = "/var/lib/latchkey"
	epochFile   = "fleet.epoch"
	epochPrefix = "latchkey-fleet-epoch-1 "
	maxEpoch    = 64 // bytes
)

// epochWait bounds the wait for another login that notes a new epoch.
const epochWait = 2 * time.Second

// Epoch is a host's memory of its fleet's generation, which only ever grows: a fleet that was
// restored from a backup starts a new one.
type Epoch struct {
	Root string // prefix of the path; "" but in tests
}

// Check refuses an epoch older than the highest one seen, and notes a newer one. The error is a
// *wire.Error: what cannot be read or noted is refused.
func (e Epoch) Check(now uint64) error {
	dir, err := safefile.OpenDir(e.Root + epochFolder)
	if err != nil {
		return wire.Errorf(wire.Epoch, "%v", err)
	}
	defer dir.Close()
	seen, err := read(dir)
	if err == nil && now > seen {
		seen, err = note(dir, now)
	}
	switch {
	case err != nil:
		return wire.Errorf(wire.Epoch, "%v", err)
	case now < seen:
		return wire.Errorf(wire.Epoch, "the answer is of epoch %d, older than %d", now, seen)
	}
	return nil
}

// note raises what was seen to now, unless another login has seen more meanwhile.
func note(dir *safefile.Dir, now uint64) (uint64, error) {
	if err := (safefile.Patience{Limit: epochWait}).LockDir(dir); err != nil {
		return 0, err
	}
	seen, err := read(dir)
	if err != nil || seen >= now {
		return seen, err
	}
	return now, dir.Replace(epochFile, fmt.Appendf(nil, "%s%d\n", epochPrefix, now))
}

// read returns the highest epoch seen; 0 for a host that has seen none.
func read(dir *safefile.Dir) (uint64, error) {
	text, err := dir.ReadFile(epochFile, safefile.Private, maxEpoch)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	digits, ok := strings.CutPrefix(string(text), epochPrefix)
	seen, err := strconv.ParseUint(strings.TrimSuffix(digits, "\n"), 10, 64)
	if !ok || err != nil || string(text) != fmt.Sprintf("%s%d\n", epochPrefix, seen) {
		return 0, fmt.Errorf("%s is damaged; remove it: the next login reads the epoch again",
			EpochPath)
	}
	return seen, nil
}
