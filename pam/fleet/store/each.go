package store

import (
	"cmp"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// pageSize is how many keys are listed at once.
const pageSize = 1000

// each lists all keys that begin so, page by page.
func (t *Txn) each(begin string, f func(key string)) error {
	begin = prefix + begin
	w := window{from: begin, end: clientv3.GetPrefixRangeEnd(begin), length: len(begin)}
	return t.within(w, func(key string) bool {
		f(key)
		return true
	})
}

// eachUser lists the keys of all users whose keys come behind those of one, until f returns false.
// Of an empty name, all do.
func (t *Txn) eachUser(after string, f func(key string) bool) error {
	begin := prefix + users
	w := window{from: begin, end: clientv3.GetPrefixRangeEnd(begin), length: len(begin)}
	if after != "" {
		w.from = clientv3.GetPrefixRangeEnd(begin + after + "/")
		w.length = len(w.from) - 1
	}
	return t.within(w, f)
}

func (t *Txn) within(w window, f func(key string) bool) error {
	for w.from < w.end {
		page, more, err := t.page(w.from, w.until())
		if err != nil {
			return err
		}
		for _, key := range page {
			if !f(strings.TrimPrefix(key, prefix)) {
				return nil
			}
		}
		w.move(page, more)
	}
	return nil
}

// page returns the first keys of a range; more reports whether it has others.
func (t *Txn) page(from, end string) (keys []string, more bool, err error) {
	t.reads++
	got, err := t.store.cluster.List(t.ctx, from, end, pageSize)
	if err != nil {
		t.broken = cmp.Or(t.broken, err)
		return nil, false, err
	}
	for _, kv := range got.Kvs {
		keys = append(keys, string(kv.Key))
	}
	return keys, got.More, nil
}

// window is the range of keys that the next page is of: what is left of a group, which is all keys
// that begin as from does. It moves from key to key, and its groups become larger or smaller as its
// pages are empty or full: etcd counts all keys of a range, however few of them it returns, and a
// million users would have it count them a thousand times.
type window struct {
	from, end string
	length    int // of what the keys of the group have in common with from
}

// until is the end of the window.
func (w *window) until() string {
	group := clientv3.GetPrefixRangeEnd(w.from[:min(w.length, len(w.from))])
	return min(group, w.end)
}

// move goes on behind a page.
func (w *window) move(page []string, more bool) {
	const few = pageSize / 8 // keys of a group for which a larger one is tried, at most
	if more {
		// To those keys that share one byte more with the last one than all of the page share.
		first, last := page[0], page[len(page)-1]
		w.from, w.length = last+"\x00", shared(first, last)+1
		return
	}
	// Few keys in what is left of a group do not say how many the next group has.
	whole := len(w.from) <= w.length
	w.from = w.until()
	if whole && len(page) <= few {
		w.length = max(w.length-1, 1)
	}
}

// shared is how many bytes two keys have in common at the beginning.
func shared(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
