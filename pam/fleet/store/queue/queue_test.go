package queue

import "testing"

func TestQuestionsInOneServiceWaitForEachOther(t *testing.T) {
	var q Queues
	leave := q.enter(t.Context(), "alice")
	other := q.enter(t.Context(), "bob")
	entered := make(chan func())
	go func() { entered <- q.enter(t.Context(), "alice") }()
	select {
	case <-entered:
		t.Error("two at a time")
	default:
	}
	leave()
	(<-entered)()
	other()
	if len(q.names) != 0 {
		t.Errorf("got %d queues left, want none", len(q.names))
	}
}
