package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Txn is one transaction: what it has read, and what it is about to write.
type Txn struct {
	Now time.Time // of this service, after the first read

	store   *Store
	ctx     context.Context
	values  map[string]*value
	lists   map[string]map[string][]byte
	reads   int             // how often etcd was asked
	broken  error           // why something could not be read
	guessed map[string]bool // whose accounts were charged with a wrong guess
	refusal bool            // the reply is remembered even if nothing was changed
	follows string          // a key that is written with all others
	point   func(moment string)
}

// value is one key as it was read, and as it is to be.
type value struct {
	revision int64 // at which it was last written; 0: it is not there
	raw      []byte
	changed  bool
}

func (v *value) there() bool { return v.raw != nil }

// errConflict is of a transaction that must run again: something that it has read was changed.
var errConflict = errors.New("something was changed meanwhile")

// read reads keys that were not read before, in one transaction. What ends in a slash is a list of
// all keys that begin so.
func (t *Txn) read(keys ...string) error {
	var ops []clientv3.Op
	for _, key := range keys {
		switch {
		case strings.HasSuffix(key, "/"):
			ops = append(ops, clientv3.OpGet(prefix+key, clientv3.WithPrefix()))
		case t.values[key] == nil:
			ops = append(ops, clientv3.OpGet(prefix+key))
		}
	}
	if len(ops) == 0 {
		return nil
	}
	got, err := t.ask(nil, ops)
	if err != nil {
		return err
	}
	for i, op := range ops {
		key := strings.TrimPrefix(string(op.KeyBytes()), prefix)
		found := got.Responses[i].GetResponseRange().Kvs
		if strings.HasSuffix(key, "/") {
			err = errors.Join(err, t.listed(key, found))
		} else {
			t.values[key] = valueOf(found)
		}
	}
	return err
}

func valueOf(found []*mvccpb.KeyValue) *value {
	if len(found) == 0 {
		return &value{}
	}
	return &value{revision: found[0].ModRevision, raw: append([]byte{}, found[0].Value...)}
}

func (t *Txn) listed(begin string, found []*mvccpb.KeyValue) error {
	all := map[string][]byte{}
	for _, kv := range found {
		key := strings.TrimPrefix(string(kv.Key), prefix)
		plain, err := open(t.store.keys.values, kv.Value, key)
		if err != nil {
			return err
		}
		all[strings.TrimPrefix(key, begin)] = plain
	}
	t.lists[begin] = all
	return nil
}

func (t *Txn) ask(when []clientv3.Cmp, then []clientv3.Op) (*clientv3.TxnResponse, error) {
	t.reads++
	got, err := t.store.cluster.Transact(t.ctx, when, then)
	if err != nil && t.broken == nil {
		t.broken = err
	}
	return got, err
}

// value returns a key as this transaction sees it.
func (t *Txn) value(key string) (*value, error) {
	if err := t.read(key); err != nil {
		return nil, err
	}
	return t.values[key], nil
}

// Get returns what stands under a key; nil if nothing does. It can be read by no one who does not
// have the fleet's secret, and was written under this key.
func (t *Txn) Get(key string) ([]byte, error) {
	v, err := t.value(key)
	if err != nil || !v.there() {
		return nil, err
	}
	return open(t.store.keys.values, v.raw, key)
}

// Put writes data under a key.
func (t *Txn) Put(key string, data []byte) error {
	return t.put(key, seal(t.store.keys.values, data, key))
}

// put writes bytes as they are.
func (t *Txn) put(key string, raw []byte) error {
	v, err := t.value(key)
	if err == nil {
		v.raw, v.changed = raw, true
	}
	return err
}

// Delete removes a key, whether it is there or not.
func (t *Txn) Delete(key string) error { return t.put(key, nil) }

// Load is Get for JSON. It reports whether there is anything.
func (t *Txn) Load(key string, into any) (bool, error) {
	text, err := t.Get(key)
	if err != nil || text == nil {
		return false, err
	}
	return true, json.Unmarshal(text, into)
}

// Store is Put for JSON.
func (t *Txn) Store(key string, from any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return t.Put(key, text)
}

// commit writes what was changed, if nothing that was read has changed. A transaction that writes
// nothing is checked only if it read more than once: one read is of one moment.
func (t *Txn) commit() error {
	var when []clientv3.Cmp
	var then []clientv3.Op
	for _, key := range t.keys() {
		v := t.values[key]
		when = append(when, clientv3.Compare(clientv3.ModRevision(prefix+key), "=", v.revision))
		switch {
		case v.changed && v.there():
			then = append(then, clientv3.OpPut(prefix+key, string(v.raw)))
		case v.changed && v.revision > 0:
			then = append(then, clientv3.OpDelete(prefix+key))
		}
	}
	if len(then) == 0 && t.reads <= 1 {
		return nil
	}
	t.point("ready")
	got, err := t.write(when, then)
	if err != nil {
		return err
	}
	if !got.Succeeded {
		return errConflict
	}
	if len(then) > 0 {
		t.point("written")
	}
	return nil
}

func (t *Txn) write(when []clientv3.Cmp, then []clientv3.Op) (*clientv3.TxnResponse, error) {
	if t.follows == "" || len(then) == 0 {
		return t.ask(when, then)
	}
	return t.store.cluster.Follow(t.ctx, prefix+t.follows, when, then)
}

// Follow has the transaction of a service commit only to a database that has what this service
// wrote last. If that is gone, Etcd().SetBack reports it, and the transaction runs again.
func (t *Txn) Follow(service string) { t.follows = "written/" + service }

func (t *Txn) changed() bool {
	for _, v := range t.values {
		if v.changed {
			return true
		}
	}
	return false
}

func (t *Txn) keys() []string {
	var all []string
	for key := range t.values {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// List returns what stands under all keys that begin so, by the rest of the key, as it is in etcd:
// changes of this transaction are not among it, and its commit compares nothing of it. It is for
// lists that are short.
func (t *Txn) List(begin string) (map[string][]byte, error) {
	if t.lists[begin] == nil {
		if err := t.read(begin); err != nil {
			return nil, err
		}
	}
	return t.lists[begin], nil
}

// Clock is Now as a function.
func (t *Txn) Clock() time.Time { return t.Now }
