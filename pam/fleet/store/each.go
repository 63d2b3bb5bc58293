package store

import (
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
		got, err := t.ask(nil, []clientv3.Op{clientv3.OpGet(w.from, clientv3.WithRange(w.until()),
			clientv3.WithLimit(pageSize), clientv3.WithKeysOnly())})
		if err != nil {
			return err
		}
		page := got.Responses[0].GetResponseRange()
		for _, kv := range page.Kvs {
			if !f(strings.TrimPrefix(string(kv.Key), prefix)) {
				return nil
			}
		}
		if page.More {
			w.narrow(string(page.Kvs[0].Key), string(page.Kvs[len(page.Kvs)-1].Key))
		} else {
			w.widen()
		}
	}
	return nil
}

// window is the range of keys that the next page is of. It moves from key to key, as wide as its
// pages are full: etcd counts all keys of a range, however few of them it returns, and a million
// users would have it count them a thousand times.
type window struct {
	from, end string
	length    int // of what the keys of the window have in common with from
}

// until is the end of the window.
func (w *window) until() string {
	group := clientv3.GetPrefixRangeEnd(w.from[:min(w.length, len(w.from))])
	return min(group, w.end)
}

// narrow goes on behind a page that was full, with those keys that share one byte more with its
// last key than all keys of the page share.
func (w *window) narrow(first, last string) {
	w.from, w.length = last+"\x00", shared(first, last)+1
}

// widen goes on behind a window that is done.
func (w *window) widen() { w.from, w.length = w.until(), max(w.length-1, 1) }

// shared is how many bytes two keys have in common at the beginning.
func shared(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
