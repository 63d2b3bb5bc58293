// Package reach is how enroll, and the program that enrolls users in a login, ask the fleet of
// their host about accounts. Neither links anything of the network.
package reach

import (
	"sync"
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/authority"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/record"
)

// Service is how enroll's questions stand in the fleet's log.
const Service = "enroll"

// Accounts are those of the fleet that the host below root is one of. Settings and key are read
// with the first question: it takes root's rights, and says what is wrong with them.
func Accounts(root string, clock func() time.Time) accounts.Accounts {
	return Over(root, &dispatch.Dispatcher{Root: root, Clock: clock, Watched: -1,
		Unlimited: true})
}

// Over are the accounts that a dispatcher reaches. Several may be asked for at the same time: the
// dispatcher carries one question after the other.
func Over(root string, d *dispatch.Dispatcher) accounts.Accounts {
	client := sync.OnceValues(func() (*remote.Client, error) { return Connect(root, d) })
	var turn sync.Mutex
	return accounts.Remote{Clock: d.Clock, Ask: func(op string, u record.User,
		body, answer any) error {
		turn.Lock()
		defer turn.Unlock()
		c, err := client()
		if err != nil {
			return err
		}
		return c.Ask(op, u, body, answer)
	}}
}

// AtOnce is how many questions Many is asked at a time: the fleet's database brings what they
// change to the disk together.
const AtOnce = 4

// Many are the accounts for a command about many users. It may ask AtOnce questions at a time, and
// the connections are kept until end.
func Many(root string, clock func() time.Time) (a accounts.Accounts, end func(), err error) {
	s, err := settings.Load(root)
	if err != nil {
		return nil, nil, err
	}
	free := make(chan *remote.Client, AtOnce)
	var all []*dispatch.Dispatcher
	for range AtOnce {
		d := &dispatch.Dispatcher{Root: root, Clock: clock, Watched: -1, Unlimited: true,
			Keep: true}
		all = append(all, d)
		free <- client(root, s, d)
	}
	end = func() {
		for _, d := range all {
			d.End()
		}
	}
	return accounts.Remote{Clock: clock, Ask: func(op string, u record.User,
		body, answer any) error {
		c := <-free
		defer func() { free <- c }()
		return c.Ask(op, u, body, answer)
	}}, end, nil
}

// Authority answers a login that is only rehearsed.
func Authority(root string, clock func() time.Time) (authority.Authority, error) {
	c, err := Connect(root, &dispatch.Dispatcher{Root: root, Clock: clock, Watched: -1})
	if err != nil {
		return nil, err
	}
	return authority.LeftBehind{Authority: remote.Authority{Client: c},
		Has: func(user string) bool { return settings.HasOwn(root, user) }}, nil
}

// Connect reads the settings and the host's key, and returns a client of the fleet.
func Connect(root string, d *dispatch.Dispatcher) (*remote.Client, error) {
	s, err := settings.Load(root)
	if err != nil {
		return nil, err
	}
	return client(root, s, d), nil
}

func client(root string, s *settings.Settings, d *dispatch.Dispatcher) *remote.Client {
	c := remote.New(root, s, d)
	c.Service = Service
	return c
}
