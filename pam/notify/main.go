// Command latchkey-notify reports events to the program of [notify] in latchkey.toml.
//
// latchkey-login and enroll start it once everything is decided (pam/notify/dispatch), with a job
// in a pipe at descriptor 0. It runs the program once for each event, as an account without
// rights, and leaves no process behind when it ends. It logs the events that it cannot report.
package main

import (
	"os"
	"runtime"
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/notify/event"
)

// root is a prefix of every path, for tests that build one of their own (-ldflags -X
// main.root=DIR).
var root string

// bounds are how long things may take.
type bounds struct {
	life   time.Duration // of one latchkey-notify, waiting for its turn included
	run    time.Duration // of the program, for one event
	margin time.Duration // until a process is ended that cannot end by itself
}

// usual are the bounds outside of tests.
var usual = bounds{life: 30 * time.Second, run: 10 * time.Second, margin: 5 * time.Second}

func main() { os.Exit(run(root, usual)) }

// run does the job at standard input.
func run(root string, b bounds) int {
	// what harden sets belongs to this thread, and so does the program's death signal
	runtime.LockOSThread()
	// A program that waits for a broken disk cannot be killed.
	time.AfterFunc(b.life+b.margin, func() { os.Exit(1) })
	until := time.Now().Add(b.life)
	log := audit.System(root)
	job, err := event.ReadJob(os.Stdin)
	if err != nil {
		log.Send(audit.Warning, "latchkey: debug: latchkey-notify: "+err.Error())
		return 1
	}
	log.JSON = job.JSON
	if err = harden(); err == nil {
		err = queue{root, b}.wait(until)
	}
	failures := 0
	for _, e := range job.Events {
		failed := err
		if failed == nil {
			failed = tell(root, job.Program, e, min(b.run, time.Until(until)))
		}
		if failed != nil {
			failures++
			log.Log(audit.Warning, e.Untold(job.Program, failed.Error()))
		}
	}
	return min(failures, 1)
}
