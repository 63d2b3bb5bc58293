// Command latchkey-fleet brings one sealed question to the services of a fleet and hands back what
// they answer (pam/fleet/carrier). latchkey-login and enroll start it as an unprivileged user with
// an empty environment. It can read neither question nor answer, and decides nothing.
package main

import (
	"io"
	"os"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/unprivileged/harden"
)

// lifetime ends a program whose job never ends or whose reports are never read.
const lifetime = carrier.MaxDeadline + 2*time.Second

func main() {
	if harden.Process("latchkey-fleet", lifetime) != nil {
		os.Exit(1)
	}
	os.Exit(run(os.Stdin, os.Stdout, connectTimeout))
}

// run reads a job and writes reports. Where it cannot, it writes nothing, which is a denial. A
// service gets so long to accept a connection.
func run(in io.Reader, out io.Writer, connect time.Duration) int {
	job, err := carrier.ReadJob(in)
	if err != nil {
		return 1
	}
	c := carriage{job: job, out: out, connect: connect}
	if write(out, c.carry()) != nil {
		return 1
	}
	return 0
}

func write(out io.Writer, r carrier.Report) error {
	line, err := r.Encode()
	if err != nil {
		return err
	}
	_, err = out.Write(line)
	return err
}
