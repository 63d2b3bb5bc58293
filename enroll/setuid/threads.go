package setuid

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// threadsHave checks the ids of every thread. libc changes those of the other threads by
// sending each a signal, and takes a thread that no signal can be sent to for one that has
// ended: a caller can bring that about by filling the queue of their signals
// (RLIMIT_SIGPENDING, setrlimit(2)), and would be left with threads that are still root's.
func threadsHave(ruid, euid, gid int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("look at the ids of the threads: %w", err)
	}
	want := fmt.Sprintf("\nUid:\t%d\t%d\t0\t%d\nGid:\t%d\t%d\t%d\t%d\n",
		ruid, euid, euid, gid, gid, gid, gid)
	for _, thread := range threads {
		status, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH): // it has ended
		case err != nil:
			return fmt.Errorf("look at the ids of a thread: %w", err)
		case !strings.Contains(string(status), want):
			return errors.New("the uids of a thread could not be changed (see: ulimit -i)")
		}
	}
	return nil
}
