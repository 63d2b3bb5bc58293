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
	for {
		s.lookAtSize(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) lookAtSize(ctx context.Context) {
	size, err := s.store.Etcd().Size(ctx)
	if err != nil {
		s.metrics.size.Store(-1)
		return
	}
	s.metrics.size.Store(size)
	if s.Quota > 0 && float64(size) >= alarmAt*float64(s.Quota) {
		s.Log.Error("etcd's database is filling up: compact, defragment, or raise its quota",
			"bytes", size, "quota", s.Quota)
	}
}
