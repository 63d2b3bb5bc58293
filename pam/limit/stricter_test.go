package limit_test

import (
	"testing"
	"time"

	"latchkey/pam/limit"
)

func TestStricterBoundsAdmitNoMoreThanEither(t *testing.T) {
	for _, c := range []struct {
		name             string
		one, other, want limit.Guesses
	}{
		{"fewer failures in a longer time",
			limit.Guesses{Failures: limit.Rate{Count: 3, Window: time.Minute}},
			limit.Guesses{Failures: limit.Rate{Count: 10, Window: time.Hour}},
			limit.Guesses{Failures: limit.Rate{Count: 3, Window: time.Hour}}},
		{"the longer lock", limit.Guesses{Lock: time.Hour}, limit.Guesses{Lock: time.Minute},
			limit.Guesses{Lock: time.Hour}},
		{"fewer in a row", limit.Guesses{Consecutive: 100}, limit.Guesses{Consecutive: 20},
			limit.Guesses{Consecutive: 20}},
		{"some in a row, where one has no limit", limit.Guesses{Consecutive: 100},
			limit.Guesses{}, limit.Guesses{Consecutive: 100}},
		{"some in a row, where one makes no sense", limit.Guesses{Consecutive: 100},
			limit.Guesses{Consecutive: -1}, limit.Guesses{Consecutive: 100}},
		{"nothing", limit.Guesses{}, limit.Guesses{}, limit.Guesses{}},
	} {
		if got := c.one.Stricter(c.other); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if got := c.other.Stricter(c.one); got != c.want {
			t.Errorf("%s, the other way around: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestStricterSendsAreFewerAndWait(t *testing.T) {
	rate := func(count int) limit.Rate { return limit.Rate{Count: count, Window: time.Hour} }
	one := limit.Sends{User: rate(5), Host: rate(50), AtOnce: true}
	other := limit.Sends{User: rate(3), Host: rate(100)}
	want := limit.Sends{User: rate(3), Host: rate(50)}
	if got := one.Stricter(other); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
