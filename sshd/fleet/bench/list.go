package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"latchkey/sshd/fleet"
)

// missing prints how much memory enroll took, in MiB, and how many lines it wrote.
const missing = `/usr/bin/enroll list --missing >/var/tmp/list & pid=$!; most=0
while kill -0 $pid 2>/dev/null; do
	at=$(awk '/^VmHWM/ { print $2 }' /proc/$pid/status); most=${at:-$most}; sleep 0.2
done
wait $pid && echo $((most / 1024)) $(wc -l </var/tmp/list)`

// list has the host list which of its own users the fleet does not have, and prints what that
// takes: the names of all users are read for it. What each of them has would be a question for
// each.
func list(f *fleet.Fleet, out io.Writer) error {
	before, err := weigh(f)
	if err != nil {
		return err
	}
	began := time.Now()
	text, err := f.Hosts[0].Exec("", "/bin/sh", "-c", missing)
	if err != nil {
		fmt.Fprintf(out, "enroll list --missing: %v\n", err)
		return nil
	}
	took := time.Since(began)
	after, err := weigh(f)
	if err != nil {
		return err
	}
	most, lines, _ := strings.Cut(strings.TrimSpace(text), " ")
	fmt.Fprintf(out, "enroll list --missing: %s lines in %v, at most %s MiB; the services, in "+
		"MiB: %d before, at most %d\n", lines, took.Round(10*time.Millisecond), most, before.service,
		after.most)
	return nil
}
