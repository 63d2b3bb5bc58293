package suite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"latchkey/sshd/poll"
)

// Log is every line that reached the host's /dev/log so far.
func (h *Host) Log() ([]string, error) {
	data, err := os.ReadFile(filepath.Join(h.dir, "suite", "log"))
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), err
}

// Audit gives the audit lines of the user, from "latchkey:" on, as soon as there are at least n,
// or after a minute.
func (h *Host) Audit(user string, n int) ([]string, error) {
	var found []string
	err := poll.Until(fmt.Sprintf("%d audit lines of %q", n, user), time.Minute, func() error {
		lines, err := h.Log()
		if err != nil {
			return err
		}
		found = found[:0]
		for _, line := range lines {
			if at := strings.Index(line, "latchkey: verdict="); at >= 0 &&
				strings.Contains(line, fmt.Sprintf(" user=%q", user)) {
				found = append(found, line[at:])
			}
		}
		if len(found) < n {
			return fmt.Errorf("there are %d: %q", len(found), found)
		}
		return nil
	})
	return found, err
}
