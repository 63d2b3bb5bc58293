package store

import (
	"context"
	"sync"
)

// queues has the questions about one user wait for each other in this service, so that only those
// of different services run again because of each other. What counts is what etcd compares: this
// only saves work.
type queues struct {
	mutex sync.Mutex
	names map[string]*queue
}

type queue struct {
	turn chan struct{} // holds one value while no question has its turn
	uses int
}

// enter waits for its turn, and returns a function that ends it; nil if ctx ended before.
func (q *queues) enter(ctx context.Context, name string) (leave func()) {
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

func (q *queues) join(name string) *queue {
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

func (q *queues) leave(name string, one *queue) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if one.uses--; one.uses == 0 {
		delete(q.names, name)
	}
}
