package past

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// logged is how syslog daemons call the file of AUTHPRIV and what logrotate(8) makes of it.
var logged = regexp.MustCompile(
	`^(?:auth\.log|secure)(?:[.-][0-9]{1,12})?(\.gz|\.xz|\.zst|\.bz2)?$`)

// files reads the files of a syslog daemon, the newest first.
func (r Reader) files(report *Report) error {
	report.forgeable = true
	end := r.Clock().Add(longest)
	for _, f := range r.logs() {
		if len(report.Decisions) >= r.Most {
			break
		}
		if r.Clock().After(end) {
			report.Until = &f.ended
			break
		}
		found := &Report{}
		if err := r.file(found, f.path); err != nil {
			report.Unread = append(report.Unread, fmt.Sprintf("%s: %v",
				strings.TrimPrefix(f.path, r.Root), err))
			continue
		}
		report.Sources = append(report.Sources, strings.TrimPrefix(f.path, r.Root))
		report.Broken += found.Broken
		slices.Reverse(found.Decisions) // in a file the newest are the last
		report.Decisions = append(report.Decisions, found.Decisions...)
	}
	report.Decisions = report.Decisions[:min(r.Most, len(report.Decisions))]
	switch {
	case len(report.Sources) > 0:
		return nil
	case len(report.Unread) > 0:
		return errors.New("no log can be read: " + strings.Join(report.Unread, "; "))
	}
	return ErrNoLog
}

// logFile is a file of a syslog daemon.
type logFile struct {
	path  string
	ended time.Time // when it was last written
}

// logs lists the files, the newest first.
func (r Reader) logs() (all []logFile) {
	dir := r.Root + "/var/log"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && logged.MatchString(e.Name()) {
			all = append(all, logFile{filepath.Join(dir, e.Name()), info.ModTime()})
		}
	}
	slices.SortStableFunc(all, func(a, b logFile) int {
		return cmp.Or(b.ended.Compare(a.ended), cmp.Compare(len(a.path), len(b.path)))
	})
	return all
}

// mostBytes is how much of one file is read, unpacked.
const mostBytes = 1 << 30

// file reads one file.
func (r Reader) file(report *Report, path string) error {
	f, written, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	content := io.Reader(f)
	switch ext := filepath.Ext(path); ext {
	case ".gz":
		if content, err = gzip.NewReader(f); err != nil {
			return err
		}
	case ".xz", ".zst", ".bz2":
		return fmt.Errorf("it is packed as %s, which is not read", ext[1:])
	}
	lines := bufio.NewReaderSize(io.LimitReader(content, mostBytes), longestLine)
	for {
		raw, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r.syslogLine(report, string(raw), written)
		if all := report.Decisions; len(all) > 2*r.Most { // the newest are the last
			report.Decisions = slices.Clone(all[len(all)-r.Most:])
		}
	}
}

// open opens a log that only its daemon and root may write. It says when it was last written.
func open(path string) (f *os.File, written time.Time, err error) {
	f, err = os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		if e := (*fs.PathError)(nil); errors.As(err, &e) {
			err = e.Err
		}
		return nil, written, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is not a regular file")
	case info.Mode().Perm()&0o002 != 0:
		err = errors.New("everyone may write it")
	default:
		return f, info.ModTime(), nil
	}
	f.Close()
	return nil, written, err
}

// syslogged is a line: when, the host, the tag, perhaps a process id, and the message.
var syslogged = regexp.MustCompile(`^([A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9-]{5}T` +
	`[0-9:.]+(?:Z|[+-][0-9:]{5})) ([^ ]+) ([^ :\[]+)(?:\[[0-9]+\])?: (.*)$`)

// syslogLine takes a line of a file that was last written then.
func (r Reader) syslogLine(report *Report, text string, written time.Time) {
	if !strings.Contains(text, tagged) {
		return
	}
	m := syslogged.FindStringSubmatch(text)
	if m == nil {
		return
	}
	at, err := when(m[1], written)
	if err != nil {
		return
	}
	report.take(r, at, m[2], m[3], m[4])
}

// when is the time of a line. Where it has no year (RFC 3164), it is the last such day before the
// file was last written, in local time.
func when(stamp string, written time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
		return at, nil
	}
	for year := written.Year(); year > written.Year()-5; year-- { // the 29th of February
		at, err := time.ParseInLocation("2006 Jan _2 15:04:05", fmt.Sprintf("%d %s", year, stamp),
			time.Local)
		if err == nil && at.Before(written.Add(24*time.Hour)) {
			return at, nil
		}
	}
	return time.Time{}, errors.New("not a time")
}
