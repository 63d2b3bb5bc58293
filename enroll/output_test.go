package main

import (
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// nowhere are standard outputs that take nothing. $0 is enroll, and $full a file on a disk
// without room.
var nowhere = map[string]string{
	"closed":                    `exec "$0" "$@" >&-`,
	"closed, and input":         `exec "$0" "$@" <&- >&-`,
	"closed, and errors":        `exec "$0" "$@" >&- 2>&-`,
	"open for reading only":     `exec "$0" "$@" 1</dev/null`,
	"a full device":             `exec "$0" "$@" >/dev/full`,
	"a full device, for errors": `exec "$0" "$@" >/dev/full 2>/dev/full`,
	"a file on a full disk":     `exec "$0" "$@" >>"$full"`,
	"a pipe without a reader":   `exec "$0" "$@" >&3`,
}

// somewhere are those that are odd and take what is written.
var somewhere = map[string]string{
	"the null device":         `exec "$0" "$@" >/dev/null`,
	"a file":                  `exec "$0" "$@" >"$status"`,
	"the end of a file":       `echo >"$status"; exec "$0" "$@" >>"$status"`,
	"a pipe":                  `{ "$0" "$@"; echo $? >"$status"; } | cat; exit $(cat "$status")`,
	"errors are closed":       `exec "$0" "$@" 2>&-`,
	"errors go nowhere":       `exec "$0" "$@" 2>/dev/full`,
	"input is closed":         `exec "$0" "$@" <&-`,
	"input and errors closed": `exec "$0" "$@" <&- 2>&-`,
}

// outputs runs enroll with its output where line leads it.
type outputs struct {
	*faulty
	dir string
}

func (o outputs) run(line string, args []string) (errs string, exit int) {
	o.t.Helper()
	const prepare = `mount -t tmpfs -o size=16k,mode=0700 tmpfs "$1"; : >"$1/file"
		head -c 100000 /dev/zero >"$1/rest" 2>/dev/null || true
		export full="$1/file" status="$1.status"; shift; exec sh -c "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-ec", prepare, "sh", o.dir,
		line, o.exe}, args...)...)
	reader, pipe, err := os.Pipe()
	if err != nil {
		o.t.Fatal(err)
	}
	reader.Close()
	defer pipe.Close()
	var e strings.Builder
	cmd.Stderr, cmd.ExtraFiles = &e, []*os.File{pipe}
	cmd.Run()
	return e.String(), cmd.ProcessState.ExitCode()
}

// reading are the commands that only tell something.
var reading = map[string][]string{
	"--help": {"--help"}, "list --help": {"list", "--help"}, "status": {"status"},
	"status --json": {"status", "--json"}, "list": {"list"},
	"list --json": {"list", "--json"}, "explain": {"explain", "root"},
	"explain --json": {"explain", "root", "--json"},
	"doctor":         {"doctor"}, "doctor --json": {"doctor", "--json"},
}

// FAULTS 32 and 33: what no one can see is not made, and what could not be said is a failure.
func TestNothingIsChangedWhereStandardOutputTakesNothing(t *testing.T) {
	o := newOutputs(t)
	for name, c := range o.commands() {
		stage := o.prepare(c.before)
		for where, line := range nowhere {
			o.restore(stage)
			before := filesBelow(t, o.root)
			errs, exit := o.run(line, c.args)
			if exit != 1 {
				t.Errorf("%s, %s: exit status %d: %s", name, where, exit, errs)
			}
			if !strings.Contains(line, "2>") && !strings.Contains(errs, "nothing was changed") {
				t.Errorf("%s, %s: it says %q", name, where, errs)
			}
			if !maps.Equal(filesBelow(t, o.root), before) || len(o.changes()) > 0 {
				t.Errorf("%s, %s: something was changed: %s", name, where, errs)
			}
		}
	}
}

func TestACommandThatCouldNotSayAnythingFails(t *testing.T) {
	o := newOutputs(t)
	o.prepare([]string{"phone"})
	for name, args := range reading {
		for where, line := range nowhere {
			errs, exit := o.run(line, args)
			if exit != 1 || !strings.Contains(line, "2>") &&
				!strings.Contains(errs, "standard output c") {
				t.Errorf("%s, %s: exit status %d: %q", name, where, exit, errs)
			}
		}
	}
}

func TestACommandWhoseOutputIsTakenSucceeds(t *testing.T) {
	o := newOutputs(t)
	for name, c := range o.commands() {
		stage := o.prepare(c.before)
		for where, line := range somewhere {
			o.restore(stage)
			if errs, exit := o.run(line, c.args); exit != 0 {
				t.Errorf("%s, %s: exit status %d: %s", name, where, exit, errs)
			}
		}
	}
}

func newOutputs(t *testing.T) outputs {
	t.Helper()
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("mount namespaces do not work here: %v: %s", err, out)
	}
	o := outputs{newFaulty(t), t.TempDir() + "/disk"}
	if err := os.Mkdir(o.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return o
}
