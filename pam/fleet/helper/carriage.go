package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/wire"
)

// patience is how long a service gets before the next one is asked too.
const patience = 300 * time.Millisecond

// carriage is one request on its way to all services.
type carriage struct {
	job     carrier.Job
	out     io.Writer
	connect time.Duration // how long a service gets to accept a connection
}

// result is what became of one service: its answer, or why there is none.
type result struct {
	from  int // which service
	body  []byte
	fault wire.Fault
	err   error
}

// carry asks one service after the other, each after patience or once the one before has failed,
// and reports every answer: which of them counts is for the host to say, which ends this program
// once it has a good one.
func (c *carriage) carry() carrier.Report {
	ctx, cancel := context.WithTimeout(context.Background(), c.job.Deadline())
	defer cancel()
	results := make(chan result, len(c.job.Services))
	road := newRoad(c.job, c.connect)
	go c.start(ctx, road, results)
	var failed []result
	for range c.job.Services {
		r := <-results
		if r.err != nil {
			failed = append(failed, r)
		} else if write(c.out, carrier.Report{Body: r.body, From: r.from}) != nil {
			return carrier.Report{End: wire.Unknown, Text: "no one reads the answers"}
		}
	}
	return summary(failed)
}

// start starts to ask each service in its time.
func (c *carriage) start(ctx context.Context, road *road, results chan<- result) {
	for i, service := range c.job.Services {
		gave := make(chan result, 1)
		go func() {
			r := road.ask(ctx, service)
			r.from = i
			gave <- r
			results <- r
		}()
		select {
		case r := <-gave:
			if r.err == nil { // the host gets to judge it before another service is asked
				wait(ctx, patience)
			}
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// order is that of faults by how little is certain: all services must be unreachable for the fleet
// to be.
var order = map[wire.Fault]int{wire.Unreachable: 0, wire.Protocol: 1, wire.Unknown: 2}

// summary is the worst of what became of the services that gave no answer.
func summary(failed []result) carrier.Report {
	worst := result{fault: wire.Unreachable}
	if len(failed) == 0 {
		worst = result{fault: wire.Protocol, err: errors.New("no answer was good")}
	}
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
