package store

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// walk lists keys as within does, of a database that counts what it is asked about.
func walk(w window, keys []string) (got []string, counted, pages int) {
	for w.from < w.end {
		from := sort.SearchStrings(keys, w.from)
		end := max(from, sort.SearchStrings(keys, w.until()))
		counted += end - from
		pages++
		page := keys[from:min(end, from+pageSize)]
		got = append(got, page...)
		w.move(page, end > from+pageSize)
	}
	return got, counted, pages
}

// A list has every key once, in order, and etcd counts each of them only a few times, no matter
// what the names of users look like.
func TestPagesOfAListAreOfEveryKeyOnceAndCountFew(t *testing.T) {
	const users = 200_000
	for like, name := range map[string]func(n int) string{
		"numbers":            func(n int) string { return fmt.Sprintf("u%07d", n) },
		"numbers with gaps":  func(n int) string { return fmt.Sprintf("u%07d", n*37) },
		"numbers not padded": func(n int) string { return fmt.Sprint("user", n) },
		"random":             func(n int) string { return fmt.Sprintf("%08x", uint32(n*2654435761)) },
		"nested":             func(n int) string { return strings.Repeat("x", n%8) + fmt.Sprint(n) },
	} {
		t.Run(like, func(t *testing.T) {
			var keys []string
			for n := range users {
				keys = append(keys, prefix+"users/"+name(n)+"/record",
					prefix+"users/"+name(n)+"/state")
			}
			slices.Sort(keys)
			begin := prefix + "users/"
			w := window{begin, clientv3.GetPrefixRangeEnd(begin), len(begin)}
			got, counted, pages := walk(w, keys)
			if !slices.Equal(got, keys) {
				t.Errorf("got %d keys, want %d", len(got), len(keys))
			}
			t.Logf("%d pages, each key counted %.1f times", pages,
				float64(counted)/float64(len(keys)))
			if counted > 12*len(keys) || pages > len(keys)/100 {
				t.Errorf("%d pages, %d keys counted for %d", pages, counted, len(keys))
			}
			after := window{clientv3.GetPrefixRangeEnd(begin + name(7) + "/"), w.end,
				len(begin + name(7))}
			got, _, _ = walk(after, keys)
			if want := keys[sort.SearchStrings(keys, after.from):]; !slices.Equal(got, want) {
				t.Errorf("behind a user: got %d keys, want %d", len(got), len(want))
			}
		})
	}
}
