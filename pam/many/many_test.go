package many_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"latchkey/pam/many"
)

func numbers(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestEachIsDoneOnceForAll(t *testing.T) {
	for _, n := range []int{0, 1, 3, 1000} {
		var done, sum atomic.Int64
		err := many.Each(numbers(n), 7, func(i int) error {
			done.Add(1)
			sum.Add(int64(i))
			return nil
		})
		if err != nil || done.Load() != int64(n) || sum.Load() != int64(n*(n-1)/2) {
			t.Errorf("of %d: got %d of sum %d, %v", n, done.Load(), sum.Load(), err)
		}
	}
}

func TestNoMoreThanSoManyAreUnderWayAtATime(t *testing.T) {
	var now, most atomic.Int64
	many.Each(numbers(500), 4, func(int) error {
		n := now.Add(1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		now.Add(-1)
		return nil
	})
	if got := most.Load(); got > 4 {
		t.Errorf("got %d at a time, want at most 4", got)
	}
}

func TestAfterAnErrorNoMoreAreBegun(t *testing.T) {
	var begun atomic.Int64
	failed := errors.New("the first")
	err := many.Each(numbers(1000), 1, func(i int) error {
		begun.Add(1)
		if i >= 3 {
			return failed
		}
		return nil
	})
	if err != failed || begun.Load() != 4 {
		t.Errorf("got %v after %d, want the first error after 4", err, begun.Load())
	}
}

func TestResultsComeInOrderAndOnlyALittleAhead(t *testing.T) {
	var asked atomic.Int64
	double := func(i int) int {
		asked.Add(1)
		return 2 * i
	}
	got, want := []int{}, []int{}
	for r := range many.Results(numbers(5000), double) {
		got, want = append(got, r), append(want, 2*len(want))
	}
	if !slices.Equal(got, want) || len(got) != 5000 {
		t.Errorf("got %d results, in order: %v", len(got), slices.Equal(got, want))
	}
	asked.Store(0)
	for range many.Results(numbers(5000), double) {
		break
	}
	if n := asked.Load(); n >= 5000 {
		t.Errorf("got all %d results before the first was used", n)
	}
}
