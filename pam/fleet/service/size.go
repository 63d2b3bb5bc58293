package service

import (
	"context"
	"time"
)

// alarmAt is the part of etcd's quota from which on the log says so each minute.
const alarmAt = 0.6

// watchSize looks at the size of etcd's database each minute. A full database refuses to write,
// and then no one can log in.
func (s *Service) watchSize(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for minute, old := 0, int64(0); ; minute++ {
		s.lookAtSize(ctx)
		if minute%forgetAfter == 0 {
			old = s.forget(ctx, old)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) lookAtSize(ctx context.Context) {
	usage, err := s.store.Etcd().Usage(ctx)
	if err != nil {
		s.metrics.size.Store(-1)
		return
	}
	s.metrics.size.Store(usage.Bytes)
	switch {
	case usage.Full:
		s.Log.Error("etcd's database is full: make room, raise its quota, disarm its alarm",
			"bytes", usage.Bytes, "quota", s.Quota)
	case s.Quota > 0 && float64(usage.Bytes) >= alarmAt*float64(s.Quota):
		s.Log.Error("etcd's database is filling up: compact, defragment, or raise its quota",
			"bytes", usage.Bytes, "quota", s.Quota)
	}
}

// forgetAfter is after how many minutes etcd forgets old values. Nothing reads them, and each
// renewal of a service's number leaves one.
const forgetAfter = 10

// forget has etcd forget all values older than a revision, and returns the one to be given next.
func (s *Service) forget(ctx context.Context, old int64) (next int64) {
	if err := s.store.Etcd().Compact(ctx, old); err != nil {
		s.Log.Warn("etcd's old values cannot be removed", "error", err)
	}
	return s.store.Etcd().Revision()
}
