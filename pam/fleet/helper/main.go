// Command latchkey-fleet brings sealed questions to the services of a fleet and hands back what
// they answer (pam/fleet/carrier). latchkey-login and enroll start it as an unprivileged user with
// harden.Environment. It can read neither question nor answer, and decides nothing.
package main

import (
	"io"
	"os"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/unprivileged/harden"
)

// spare is what a job may take beyond its deadline: until it is read, and its report is.
const spare = 2 * time.Second

func main() {
	life, err := harden.Process("latchkey-fleet", carrier.MaxDeadline+spare)
	if err != nil {
		os.Exit(1)
	}
	os.Exit(run(os.Stdin, os.Stdout, connectTimeout, process{
		live: func(d time.Duration) { life.Reset(d) }, confine: confined}))
}

// process is what the program does with its own process.
type process struct {
	live    func(time.Duration)           // how long it lives at most from now on
	confine func(services []string) error // to what reaching them takes
}

// run reads jobs and writes a report of each but openings, until there is no other. Where it cannot,
// it writes nothing, which is a denial. A service gets the time connect to accept a connection. All
// jobs name the same services, so the process is confined to those of the first.
func run(in io.Reader, out io.Writer, connect time.Duration, p process) int {
	jobs, confine := carrier.NewReader(in), p.confine
	road := &road{connect: connect}
	for {
		job, err := carrier.ReadJob(jobs)
		if err == io.EOF {
			return 0
		}
		if err != nil {
			return 1
		}
		p.live(job.Deadline() + spare)
		if err := confine(job.Services); err != nil {
			return 1
		}
		confine = func([]string) error { return nil }
		if job.IsOpening() {
			road.open(job)
			continue
		}
		line, err := road.carry(job).Encode()
		if err != nil {
			return 1
		}
		if _, err := out.Write(line); err != nil {
			return 1
		}
		p.live(carrier.Idle)
	}
}
