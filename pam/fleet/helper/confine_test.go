package main

import (
	"bytes"
	"errors"
	"os/exec"
	"testing"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/testroot"
	"latchkey/pam/unprivileged/plant"
)

// takenOver reports what the planted code could do.
var takenOver = plant.Change{From: "road.carry(job).Encode()",
	To: `carrier.Report{End: "unknown", Text: planted(job.Services[0])}.Encode()`}

// unconfined switches the rule off, and what would use the road.
var unconfined = plant.Change{From: "confine: confined}",
	To: "confine: func([]string) error { return nil }}"}

// does is what the planted code of a program could do.
func does(t *testing.T, file string) string {
	t.Helper()
	job, err := carrier.Job{Version: carrier.Version, DeadlineMS: 60_000, Request: []byte("x"),
		Services: []string{service(t, says("x")).URL}}.Encode()
	testroot.Must(t, err)
	cmd := exec.Command(file)
	cmd.Env, cmd.Stdin, cmd.Stderr = []string{}, bytes.NewReader(job), t.Output()
	out, err := cmd.Output()
	testroot.Must(t, err)
	report, err := carrier.DecodeReport(bytes.TrimSpace(out))
	testroot.Must(t, err)
	return report.Text
}

// Everything but the look-up of hosts and connections to the services' ports is refused. Without
// the rule the same code does it all, so that each refusal is the rule's.
func TestTakenOverProgramOpensAndReachesNothingElse(t *testing.T) {
	plant.NeedLandlock(t)
	road := plant.Change{From: "road := &road{connect: connect}", To: "road, _ := &road{}, connect"}
	if got := does(t, plant.Program(t, takenOver, road)); got != plant.Confined {
		t.Errorf("got %q done, want %q", got, plant.Confined)
	}
	if got := does(t, plant.Program(t, takenOver, road, unconfined)); got != plant.Unconfined {
		t.Errorf("without the rule: got %q done, want %q", got, plant.Unconfined)
	}
}

func TestProgramIsConfinedOnceAndCarriesNothingOtherwise(t *testing.T) {
	p := start(t)
	s := service(t, says("sealed"))
	for range 2 {
		p.carries(carrier.Job{Services: []string{s.URL}, CA: certificate(s)})
	}
	p.end()
	if p.confined != 1 {
		t.Errorf("got it confined %d times, want once", p.confined)
	}
	job, err := carrier.Job{Version: carrier.Version, DeadlineMS: 1000, Request: []byte("x"),
		Services: []string{s.URL}, CA: certificate(s)}.Encode()
	testroot.Must(t, err)
	var out bytes.Buffer
	status := run(bytes.NewReader(job), &out, time.Second, process{
		live:    func(time.Duration) {},
		confine: func([]string) error { return errors.New("no") }})
	if status == 0 || out.Len() > 0 {
		t.Errorf("not confined: got status %d and %q", status, out.String())
	}
}
