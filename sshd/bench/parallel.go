package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/sshd/bench/figures"
)

// width is how many logins run at the same time, and how many there are in one batch.
type width struct{ at, logins int }

// widths last about as long as each other on two cores.
var widths = []width{{1, 12}, {8, 32}, {32, 64}}

// parallel measures how many logins a second there are. In a round each stack has a batch of each
// width, with the same users.
func (b *bench) parallel(rounds int) error {
	for _, w := range widths {
		b.result.Add(figures.Rate, b.name, w.at)
	}
	for round := range rounds {
		for i, f := range b.result.Find(figures.Rate, b.name) {
			if err := b.batches(f, widths[i]); err != nil {
				return err
			}
		}
		fmt.Fprintf(b.progress, "bench: %s: logins in parallel, round %d of %d\n", b.name,
			round+1, rounds)
	}
	return nil
}

func (b *bench) batches(f *figures.Figure, w width) error {
	taken, err := b.users.take(w.logins)
	if err != nil {
		return err
	}
	defer b.users.giveBack(taken)
	stacks := figures.Stacks()
	for _, i := range rand.Perm(len(stacks)) {
		s := stacks[i]
		in, took := b.batch(s, w.at, taken)
		f.Values[s] = append(f.Values[s], float64(in)/took.Seconds())
		f.Attempts[s] += len(taken)
		f.Refused[s] += len(taken) - in
		time.Sleep(10 * settle)
	}
	return nil
}

// batch has all users log in by a stack, side by side, and returns how many got in, and
// how long it took. A module that refuses a right code because it is busy is not measured as a fast
// one.
func (b *bench) batch(s figures.Stack, at int, all []*user) (in int, took time.Duration) {
	var next, entered atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range at {
		running.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(all); i = next.Add(1) - 1 {
				if _, err := b.login(s, all[i]); err == nil {
					entered.Add(1)
				}
			}
		})
	}
	running.Wait()
	return int(entered.Load()), time.Since(began)
}
