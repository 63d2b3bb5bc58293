package enrollment_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// event is a system call that came to its end, of which file or directory.
var event = regexp.MustCompile(
	`^\d+ +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>(?:, "([^"]*)", \d+<[^>]*>, "([^"]*)")?)?`)

// calls are the events of a trace in order, as "call path". A renameat2 is there when it begins,
// and everything else when it ends.
func calls(t *testing.T, trace string) (all []string) {
	t.Helper()
	begun := map[string]string{}
	for line := range strings.Lines(trace) {
		m := event.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		pid, _, _ := strings.Cut(line, " ")
		what := m[1] + " " + m[2]
		if m[3] != "" {
			what = fmt.Sprintf("%s %s/%s %s", m[1], m[2], m[3], m[4])
		}
		switch {
		case strings.Contains(line, "resumed>"):
			what = begun[pid]
		case strings.Contains(line, "<unfinished"):
			begun[pid] = what
			if m[1] != "renameat2" {
				continue
			}
		}
		if m[1] != "renameat2" || !strings.Contains(line, "resumed>") {
			all = append(all, what)
		}
	}
	return all
}

// A crash of the machine leaves what was flushed before it: so no file gets its name before its
// content is flushed, no record before the names of the states are, and no user is told before the
// names of the records are.
func TestNothingIsNamedBeforeWhatItNeedsIsOnTheDisk(t *testing.T) {
	const count = 5
	root, trace := testroot.New(t), filepath.Join(t.TempDir(), "trace")
	strace := testroot.Strace(t, "-y", "-o", trace, "-e",
		"trace=write,fsync,syncfs,renameat2,pwrite64")
	out, err := testroot.Role(strace, "together", string(root), strconv.Itoa(count)).
		CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	states, records := filepath.Dir(root.State("x")), filepath.Dir(root.Record("x"))
	flushed, named := map[string]bool{}, map[string]int{}
	for _, what := range calls(t, string(testroot.Read(t, trace))) {
		words := strings.Fields(what)
		path := words[1]
		switch dir := filepath.Dir(path); words[0] {
		case "write":
			flushed[path] = false
		case "fsync":
			flushed[path] = true
		case "syncfs": // names too, but no file is renamed meanwhile
			for path := range flushed {
				flushed[path] = true
			}
		case "pwrite64":
			if !flushed[records] {
				t.Errorf("%s before the names of the records are on the disk", what)
			}
		case "renameat2":
			if dir != states && dir != records {
				continue
			}
			if !flushed[path] {
				t.Errorf("%s before the file is on the disk", what)
			}
			if dir == records && !flushed[states] {
				t.Errorf("%s before the names of the states are on the disk", what)
			}
			named[dir]++
			flushed[dir] = false
		}
	}
	if named[states] != count || named[records] != count || !flushed[records] {
		t.Errorf("got %d states and %d records named, and the latter on the disk: %v; want %d",
			named[states], named[records], flushed[records], count)
	}
}
