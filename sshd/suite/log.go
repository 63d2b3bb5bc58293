package suite

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"latchkey/sshd/poll"
)

// mark is how a line begins that only Log sends.
const mark = "latchkey-suite: mark "

// Log is every line that was sent to the host's /dev/log so far. The agent writes down one after
// the other and may be late, so Log sends one more, and waits for that.
func (h *Host) Log() (lines []string, err error) {
	last := fmt.Sprint(mark, h.marks.Add(1))
	if err := h.send(last); err != nil {
		return nil, err
	}
	err = poll.Until("the log of "+h.Name, time.Minute, func() error {
		if lines, err = h.written(); err == nil && !slices.Contains(lines, last) {
			err = fmt.Errorf("%q is not in it", last)
		}
		return err
	})
	isMark := func(line string) bool { return strings.HasPrefix(line, mark) }
	return slices.DeleteFunc(lines, isMark), err
}

// send sends a line to the host's /dev/log.
func (h *Host) send(line string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: h.Path("/dev/log"),
		Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(line))
	return err
}

// written is what the agent has written down.
func (h *Host) written() ([]string, error) {
	data, err := os.ReadFile(filepath.Join(h.dir, "suite", "log"))
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), err
}

// Audit gives the audit lines of the user, from "latchkey:" on, as soon as there are at least n,
// or after a minute.
func (h *Host) Audit(user string, n int) ([]string, error) {
	var found []string
	err := poll.Until(fmt.Sprintf("%d audit lines of %q", n, user), time.Minute, func() error {
		lines, err := h.written()
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
