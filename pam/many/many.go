// Package many does the same thing for each of many users, several at a time.
package many

import (
	"iter"
	"runtime"
	"slices"
	"sync"
)

// Waiting is how many users are worked on at a time where most of the time is spent waiting for
// the disk: a journal brings all who wait for it to the disk together.
const Waiting = 64

// Told is told how far something is: first how many all are, then of each by step, and of the end.
// A nil Told is told nothing.
type Told func(all int) (step, end func())

// Begin begins to tell.
func (t Told) Begin(all int) (step, end func()) {
	if t == nil {
		return func() {}, func() {}
	}
	return t(all)
}

// Each calls do for each of all, for at most so many at a time. After an error it begins no other,
// and returns the first error.
func Each[T any](all []T, most int, do func(T) error) (err error) {
	var (
		mu      sync.Mutex
		workers sync.WaitGroup
	)
	next := func() (one T, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || len(all) == 0 {
			return one, false
		}
		one, all = all[0], all[1:]
		return one, true
	}
	for range min(most, len(all)) {
		workers.Go(func() {
			for one, ok := next(); ok; one, ok = next() {
				failed := do(one)
				mu.Lock()
				if err == nil {
					err = failed
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return err
}

// Map returns what of says of each of all, in their order. It is called for at most that many at
// a time.
func Map[T, R any](all []T, most int, of func(T) R) []R {
	results, indexes := make([]R, len(all)), make([]int, len(all))
	for i := range all {
		indexes[i] = i
	}
	Each(indexes, most, func(i int) error {
		results[i] = of(all[i])
		return nil
	})
	return results
}

// chunk is how many results are kept before they are passed on.
const chunk = 1024

// Results returns what of says of each of all, in their order. It is called on all processors at a
// time, and only a little ahead, so that not all results are in memory at once.
func Results[T, R any](all []T, of func(T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		for some := range slices.Chunk(all, chunk) {
			for _, r := range Map(some, runtime.GOMAXPROCS(0), of) {
				if !yield(r) {
					return
				}
			}
		}
	}
}
