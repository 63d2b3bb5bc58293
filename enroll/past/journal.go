package past

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const journalctl = "/usr/bin/journalctl"

// longest is how long a search may take.
const longest = 10 * time.Second

// hasJournal reports whether there is a journal of systemd's, and what reads it.
func (r Reader) hasJournal() bool {
	if _, err := os.Stat(r.Root + journalctl); err != nil {
		return false
	}
	for _, dir := range []string{"/var/log/journal/", "/run/log/journal/"} {
		if machines, err := os.ReadDir(r.Root + dir); err == nil && len(machines) > 0 {
			return true
		}
	}
	return false
}

// entry is what journalctl says of one entry. The journal vouches for the names that begin with _.
type entry struct {
	Message text `json:"MESSAGE"`
	Tag     text `json:"SYSLOG_IDENTIFIER"`
	UID     text `json:"_UID"`
	Host    text `json:"_HOSTNAME"`
	At      text `json:"__REALTIME_TIMESTAMP"`
}

// text is a value of the journal's. What is not printable comes as an array of bytes, and a field
// that an entry has twice as an array of texts: that is no line of latchkey's.
type text string

// UnmarshalJSON takes a text, and makes any other value none.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// journal reads systemd's journal, the newest entries first.
func (r Reader) journal(report *Report) error {
	report.Sources = []string{"journal"}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.Root+journalctl, "--quiet", "--no-pager", "--reverse",
		"--output=json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_UID,_HOSTNAME",
		"SYSLOG_FACILITY=10", "_UID=0")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the journal cannot be read: %w", err)
	}
	last, err := r.entries(report, out)
	enough := len(report.Decisions) == r.Most
	if enough {
		cancel() // the rest is older
	}
	ended := cmd.Wait()
	switch {
	case enough:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		report.Until = &last
		return nil
	case err != nil || ended != nil:
		return fmt.Errorf("the journal cannot be read: %w: %s", errors.Join(err, ended),
			strings.TrimSpace(said.String()))
	}
	return nil
}

// entries takes entries until there are enough. It returns when the last of them was made.
func (r Reader) entries(report *Report, from io.Reader) (last time.Time, err error) {
	lines := bufio.NewReaderSize(from, longestLine)
	for len(report.Decisions) < r.Most {
		raw, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		var e entry
		if json.Unmarshal(raw, &e) != nil || e.UID != "0" {
			continue
		}
		if µs, err := strconv.ParseInt(string(e.At), 10, 64); err == nil {
			last = time.UnixMicro(µs).UTC()
		}
		report.take(r, last, string(e.Host), string(e.Tag), string(e.Message))
	}
	return last, nil
}

// longestLine is more than any line of latchkey's.
const longestLine = 1 << 16

// nextLine is the next line that is not longer, without its line feed.
func nextLine(from *bufio.Reader) ([]byte, error) {
	for {
		raw, err := from.ReadSlice('\n')
		switch {
		case err == nil:
			return raw[:len(raw)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err // a line without its end is still being written
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = from.ReadSlice('\n')
		}
		if err != nil {
			return nil, err
		}
	}
}
