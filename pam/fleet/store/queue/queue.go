// Package queue has questions about the same user wait for each other.
package queue

import (
	"context"
	"sync"
)

// Queues has the questions about one user that collided wait for each other in this service, so
// that from then on only those of different services collide. What counts is what etcd compares:
// this only saves work. A question that no host has signed changes nothing, so it never collides,
// and no one is kept waiting by a flood of them.
type Queues struct {
	mutex sync.Mutex
	names map[string]*queue
}

type queue struct {
	turn chan struct{} // holds one value while no question has its turn
	uses int
}

// enter waits for its turn, and returns a function that ends it; nil if ctx ended before.
func (q *Queues) enter(ctx context.Context, name string) (leave func()) {
	one := q.join(name)
	select {
	case <-one.turn:
		return func() {
			one.turn <- struct{}{}
			q.leave(name, one)
		}
	case <-ctx.Done():
		q.leave(name, one)
		return nil
	}
}

// Turn is a place in a queue, which a question takes when it needs it.
type Turn struct{ leave func() }

// Wait waits for a turn, unless there is one already or ctx ends.
func (t *Turn) Wait(ctx context.Context, q *Queues, name string) {
	if t.leave == nil {
		t.leave = q.enter(ctx, name)
	}
}

// End lets the next one have its turn.
func (t *Turn) End() {
	if t.leave != nil {
		t.leave()
	}
}

func (q *Queues) join(name string) *queue {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if q.names == nil {
		q.names = map[string]*queue{}
	}
	one := q.names[name]
	if one == nil {
		one = &queue{turn: make(chan struct{}, 1)}
		one.turn <- struct{}{}
		q.names[name] = one
	}
	one.uses++
	return one
}

func (q *Queues) leave(name string, one *queue) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if one.uses--; one.uses == 0 {
		delete(q.names, name)
	}
}
