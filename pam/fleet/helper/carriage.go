package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/wire"
)

// patience is how long a service gets before the next one is asked too.
const patience = 300 * time.Millisecond

// result is what became of one service: its answer, or why there is none.
type result struct {
	from  int // which service
	body  []byte
	over  *connection // that the answer came over
	fault wire.Fault
	err   error
}

// carry asks one service after the other, each after patience or once the one before has failed.
// The first answer is reported, and its connection kept for the next job. Whether it counts is for
// the host to say, which has the request brought to the other services if it does not.
func (r *road) carry(job carrier.Job) carrier.Report {
	ctx, cancel := context.WithTimeout(context.Background(), job.Deadline())
	defer cancel() // and every connection but the one that is kept
	r.trust(job.CA)
	results := make(chan result, len(job.Services))
	f, now := r.take(ctx), *r // the next job may trust others
	go now.start(ctx, job, f, results)
	var failed []result
	for range job.Services {
		got := <-results
		if got.err == nil {
			r.keep(got.over)
			return carrier.Report{Body: got.body, From: got.from}
		}
		failed = append(failed, got)
	}
	return summary(failed)
}

// start starts to ask each service in its time.
func (r *road) start(ctx context.Context, job carrier.Job, f found,
	results chan<- result) {
	for i, service := range job.Services {
		if errors.Is(ctx.Err(), context.Canceled) { // there is an answer
			return
		}
		failed := make(chan struct{})
		go func() {
			got := r.ask(ctx, service, job.Request, f)
			got.from = i
			results <- got
			if got.err != nil {
				close(failed)
			}
		}()
		select {
		case <-failed:
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
}

// order is that of faults by how little is certain: all services must be unreachable for the fleet
// to be.
var order = map[wire.Fault]int{wire.Unreachable: 0, wire.Protocol: 1, wire.Unknown: 2}

// summary is the worst of what became of the services that gave no answer.
func summary(failed []result) carrier.Report {
	worst := result{fault: wire.Unreachable}
	var texts []string
	for _, r := range failed {
		texts = append(texts, r.err.Error())
		if order[r.fault] > order[worst.fault] {
			worst = r
		}
	}
	return carrier.Report{End: worst.fault, Text: strings.Join(texts, "; ")}
}

// failedWith is the result of a service that gave no answer.
func failedWith(f wire.Fault, service string, err error) result {
	return result{fault: f, err: fmt.Errorf("%s: %w", strings.TrimPrefix(service, "https://"), err)}
}
