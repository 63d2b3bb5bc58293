package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// long is for how long a lock is held that should be free: no login and no command holds one for
// more than a moment.
const long = 2 * time.Second

// checkLocks finds locks that are held for long: by a process that is stopped, frozen or
// starved.
func (d Doctor) checkLocks() []Finding {
	before := d.held()
	if len(before) == 0 {
		return nil
	}
	d.pause(long)
	var found []Finding
	for _, h := range d.held() {
		if slices.Contains(before, h) {
			text := fmt.Sprintf("process %d (%s) has held its lock for more than %v", h.pid, h.program, long)
			found = append(found, warning(h.file, text, "who waits for it as root ends that process; or: kill -9 "+strconv.Itoa(h.pid)))
		}
	}
	return found
}

func (d Doctor) pause(time time.Duration) {
	if d.Pause != nil {
		d.Pause(time)
	}
}

// holder is a process that holds the lock of a file.
type holder struct {
	pid           int
	program, file string
}

// held are the locks of latchkey's files, as the kernel lists them (proc_locks(5)).
func (d Doctor) held() []holder {
	files := d.lockable()
	text, _ := os.ReadFile(d.Root + "/proc/locks") // where there is none, nothing can be told
	var all []holder
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" {
			continue
		}
		inode, err := strconv.ParseUint(f[5][strings.LastIndex(f[5], ":")+1:], 10, 64)
		pid, _ := strconv.Atoi(f[4])
		if file := files[inode]; err == nil && file != "" && pid > 0 {
			program, _ := os.ReadFile(d.Root + "/proc/" + f[4] + "/comm")
			if strings.HasPrefix(string(program), "latchkey") || strings.HasPrefix(string(program), "enroll") {
				all = append(all, holder{pid, strings.TrimSpace(string(program)), file})
			}
		}
	}
	return all
}

// lockable are the files and folders that are locked, by inode.
func (d Doctor) lockable() map[uint64]string {
	files, _ := filepath.Glob(d.Root + "/var/lib/latchkey/users/*")
	files = append(files, d.Root+"/var/lib/latchkey/users", d.Root+"/var/lib/latchkey/host", d.Root+"/var/lib/latchkey")
	all := map[uint64]string{}
	for _, file := range files {
		var st unix.Stat_t
		if unix.Lstat(file, &st) == nil {
			all[st.Ino] = strings.TrimPrefix(file, d.Root)
		}
	}
	return all
}
