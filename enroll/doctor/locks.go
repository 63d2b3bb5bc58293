package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/safefile"
)

// long is for how long a lock is held that should be free: no login and no command needs more than
// a moment.
const long = 2 * time.Second

// checkLocks finds locks that are held for long: by a process that is stopped, frozen or starved,
// or by another program.
func (d Doctor) checkLocks() []Finding {
	const dir = "/var/lib/latchkey"
	before := safefile.HoldersBelow(d.Root + dir)
	if len(before) == 0 {
		return nil
	}
	if d.Pause != nil {
		d.Pause(long)
	}
	var found []Finding
	for _, h := range safefile.HoldersBelow(d.Root + dir) {
		same := func(b safefile.Holder) bool {
			return b.PID == h.PID && b.Started == h.Started && b.File == h.File
		}
		if slices.ContainsFunc(before, same) {
			found = append(found, held(strings.TrimPrefix(h.File, d.Root), h))
		}
	}
	return found
}

func held(file string, h safefile.Holder) Finding {
	text := fmt.Sprintf("%v has held its lock for more than %v", h, long)
	if h.Ours {
		return warning(file, text, "a process of root that waits for this lock ends this "+
			"process; or: kill -9 "+
			strconv.Itoa(h.PID))
	}
	return fault(file, errors.New(text), "it is not one of latchkey's programs: ask the user "+
		"who started it")
}
