package etcd

import "testing"

func TestLowerRevisionThanBeforeTheQuestionIsNoticed(t *testing.T) {
	c := &Cluster{}
	before := c.history.now()
	c.history.note(10, before)
	c.history.note(8, before) // was asked before the other was answered
	if c.SetBack() || c.Revision() != 10 {
		t.Errorf("answers out of order: got set back %v, revision %d", c.SetBack(), c.Revision())
	}
	now := c.history.now()
	c.history.note(9, now)
	if !c.SetBack() {
		t.Error("a lower revision was not noticed")
	}
	c.Begin()
	c.history.note(3, now) // was asked before the restore was accepted
	if c.SetBack() || c.Revision() != 0 {
		t.Errorf("accepted: got set back %v, revision %d", c.SetBack(), c.Revision())
	}
	c.history.note(3, c.history.now())
	if c.SetBack() || c.Revision() != 3 {
		t.Errorf("afterwards: got set back %v, revision %d", c.SetBack(), c.Revision())
	}
}

func TestRevisionOfAnEarlierProcessIsExpected(t *testing.T) {
	c := &Cluster{}
	c.Expect(10)
	c.history.note(9, c.history.now())
	if !c.SetBack() {
		t.Error("a lower revision was not noticed")
	}
}
