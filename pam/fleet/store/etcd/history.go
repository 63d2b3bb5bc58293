package etcd

import (
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// history is the revisions that were seen.
type history struct {
	mutex sync.Mutex
	seen
	setBack bool // an answer had a lower revision than one before its question
}

// seen is the highest revision, since an administrator accepted a restored backup for the last
// time.
type seen struct {
	revision int64
	written  int64 // by Follow
	restores int
}

func (h *history) now() seen {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.seen
}

// note notes the revision of an answer. It is not lower than what was seen before the question,
// unless etcd was set back.
func (h *history) note(revision int64, before seen) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if before.restores != h.restores {
		return
	}
	h.setBack = h.setBack || revision < before.revision
	h.revision = max(h.revision, revision)
}

// follow notes at which revision Follow has written, or if it could not, at which it had written
// last, as etcd has it. That is not lower than it was before, unless etcd was set back.
func (h *history) follow(answer *clientv3.TxnResponse, before seen) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	switch {
	case before.restores != h.restores:
	case answer.Succeeded:
		h.written = max(h.written, answer.Header.Revision)
	default:
		var last int64
		for _, kv := range answer.Responses[0].GetResponseRange().Kvs {
			last = kv.ModRevision
		}
		h.setBack = h.setBack || last < before.written
	}
}

// Revision is the highest revision that was seen.
func (c *Cluster) Revision() int64 { return c.history.now().revision }

// Expect says which revision was seen before this process began.
func (c *Cluster) Expect(revision int64) { c.history.note(revision, seen{}) }

// SetBack reports whether an answer had a lower revision than one before it, or what Follow has
// written is gone, as after a backup was restored.
func (c *Cluster) SetBack() bool {
	c.history.mutex.Lock()
	defer c.history.mutex.Unlock()
	return c.history.setBack
}

// Begin forgets what was seen: an administrator has accepted the restored backup.
func (c *Cluster) Begin() {
	h := &c.history
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.seen, h.setBack = seen{restores: h.restores + 1}, false
}
