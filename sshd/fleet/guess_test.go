package fleet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/sshd/fleet"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

// results counts what became of guesses, by the word of the answer, or of the fault.
type results struct {
	sync.Mutex
	of map[string]int
}

func (r *results) add(word string) {
	r.Lock()
	defer r.Unlock()
	r.of[word]++
}

// word is what an answer to a guess says.
func word(a wire.Answer, err error) string {
	var g authority.Guessed
	switch {
	case err != nil:
		return "no answer"
	case a.Fault != wire.Done:
		return string(a.Fault)
	case json.Unmarshal(a.Body, &g) != nil:
		return "no sense"
	}
	return string(g.Result)
}

func guess(a *fleet.Asker, user, code string) string {
	return word(a.Ask(testfleet.Guess(user, code)))
}

// FAULTS 22 in a fleet: more comparisons than the limit allows are not made, over however many
// hosts the guesses are spread.
func TestTenWrongCodesFromFiftyHostsLockTheUserOnAll(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1, Services: 3})
	crowd, err := f.Crowd(50)
	must(t, err)
	for _, name := range []string{"all services run", "two services are killed meanwhile"} {
		t.Run(name, func(t *testing.T) {
			users, err := f.Users(1)
			must(t, err)
			u := users[0]
			got := results{of: map[string]int{}}
			var all sync.WaitGroup
			for _, a := range crowd {
				for range 10 {
					code := u.WrongCode()
					all.Go(func() { got.add(guess(a, u.Name, code)) })
				}
			}
			if name != "all services run" {
				must(t, f.Services[0].Kill())
				must(t, f.Services[1].Kill())
			}
			all.Wait()
			t.Log(got.of)
			n := 500
			// A busy machine may have been too slow for most of them.
			for last := ""; last != "locked" && n < 550; n++ {
				last = guess(crowd[0], u.Name, u.WrongCode())
				got.add(last)
			}
			lost := got.of["unknown"] + got.of["no answer"] + got.of["clock"]
			if wrong := got.of["wrong"]; wrong > 10 || wrong+lost < 10 ||
				wrong+lost+got.of["locked"] != n {
				t.Errorf("%d wrong codes: got %v, want 10 wrong and the rest locked", n, got.of)
			}
			for _, a := range crowd[:5] {
				if got := guess(a, u.Name, u.Code()); got != "locked" {
					t.Errorf("the right code on %s: got %s, want locked", a.Host, got)
				}
			}
			_, err = f.Hosts[0].Exec("", "/usr/bin/enroll", "unlock", u.Name)
			must(t, err)
			if got := guess(crowd[7], u.Name, u.Code()); got != "accepted" {
				t.Errorf("after enroll unlock: got %s, want accepted", got)
			}
		})
	}
}

// A service that is killed after etcd has the change and before the host has the answer leaves it
// to the next one to say the same. Where the kill falls is up to the seed.
func TestAServiceThatIsKilledLeavesItsAnswerToTheNext(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1})
	crowd, err := f.Crowd(2)
	must(t, err)
	random := rand.New(rand.NewPCG(*seed, 1))
	n := rounds(8, 200)
	users, err := f.Users(n)
	must(t, err)
	answered := 0
	for _, u := range users {
		code, wait := u.Code(), time.Duration(random.IntN(40_000))*time.Microsecond
		q, body := testfleet.Guess(u.Name, code)
		q.Token = wire.NewToken()
		sealed, err := crowd[0].Seal(q, body)
		must(t, err)
		first, asked := make(chan string), time.Now()
		go func() { first <- word(crowd[0].Send(t.Context(), f.Services[0].URL(), sealed)) }()
		time.Sleep(wait)
		must(t, f.Services[0].Kill())
		if got := <-first; got == "accepted" {
			answered++
		} else if got != "no answer" {
			t.Errorf("killed after %v: the first service said %s", wait, got)
		}
		if got := word(crowd[0].Send(t.Context(), f.Services[1].URL(),
			sealed)); got != "accepted" && !late(asked) {
			t.Errorf("killed after %v: the second service says %s, want accepted", wait, got)
		}
		if got := word(crowd[1].Ask(testfleet.Guess(u.Name, code))); got != "replayed" {
			t.Errorf("the same code on another host: got %s, want replayed", got)
		}
		stolen(t, crowd, q, body)
		must(t, f.Services[0].Start())
	}
	t.Logf("%d rounds, %d answered before the kill, seed %d", n, answered, *seed)
}

// late reports whether an answer may no longer be given again, on a busy machine.
func late(asked time.Time) bool { return time.Since(asked) > 10*time.Second }

// killed is a moment of a question at which the first service is killed.
type killed struct {
	name string
	// aim has the relays to etcd and to the service do what makes the moment last, and gives what
	// waits for it.
	aim func(t *testing.T, f *fleet.Fleet, u *suite.User, etcd, service *relay) (wait func() error)
}

var moments = []killed{
	{"it has read nothing", func(_ *testing.T, _ *fleet.Fleet, _ *suite.User, etcd,
		_ *relay) func() error {
		etcd.hold()
		return none
	}},
	{"etcd has the change, which the service does not know", func(t *testing.T, f *fleet.Fleet,
		u *suite.User, etcd, _ *relay) func() error {
		etcd.slow(500 * time.Millisecond)
		before := stateOf(t, f, u)
		return func() error {
			if bytes.Equal(stateOf(t, f, u), before) {
				return errors.New("nothing has changed")
			}
			etcd.hold()
			return nil
		}
	}},
	{"it has answered, which the host does not know", func(_ *testing.T, f *fleet.Fleet,
		u *suite.User, _, service *relay) func() error {
		service.slow(500 * time.Millisecond)
		return func() error {
			for line := range strings.Lines(f.Services[0].Printed()) {
				if strings.Contains(line, "op=guess") && strings.Contains(line, "user="+u.Name) {
					service.hold()
					return nil
				}
			}
			return errors.New("there is no answer")
		}
	}},
}

// stateOf is what etcd has of a user's state.
func stateOf(t *testing.T, f *fleet.Fleet, u *suite.User) (text []byte) {
	t.Helper()
	accounts, err := f.Accounts()
	must(t, err)
	must(t, accounts.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		text, err = txn.Get(store.UserKey(u.Name, "state"))
		return err
	}))
	return text
}

// The moments that a random kill seldom falls on are made to last.
func TestAServiceThatIsKilledBetweenTheSwapAndItsAnswerLeavesItToTheNext(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1})
	crowd, err := f.Crowd(2)
	must(t, err)
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			for range 10 { // on a busy machine the moment may pass
				if m.round(t, f, crowd) {
					return
				}
			}
			t.Error("the moment never came")
		})
	}
}

// round kills the first service while it is asked, and reports whether it had given no answer.
func (m killed) round(t *testing.T, f *fleet.Fleet, crowd []*fleet.Asker) (met bool) {
	t.Helper()
	users, err := f.Users(1)
	must(t, err)
	u := users[0]
	code := u.Code()
	etcd := through(t, f, f.Services[0])
	service := newRelay(t, f.Services[0].Addr())
	q, body := testfleet.Guess(u.Name, code)
	q.Token = wire.NewToken()
	sealed, err := crowd[0].Seal(q, body)
	must(t, err)
	wait := m.aim(t, f, u, etcd, service)
	first, asked := make(chan string), time.Now()
	go func() { first <- word(crowd[0].Send(t.Context(), "https://"+service.addr, sealed)) }()
	must(t, poll.Until(m.name, time.Minute, wait))
	must(t, f.Services[0].Kill())
	etcd.drop()
	service.drop()
	if got := <-first; got != "no answer" && got != "accepted" {
		t.Errorf("the first service said %s", got)
	} else {
		met = got == "no answer"
	}
	for range 2 {
		got := word(crowd[0].Send(t.Context(), f.Services[1].URL(), sealed))
		if late(asked) {
			return false
		}
		if got != "accepted" {
			t.Errorf("the next service says %s, want accepted", got)
		}
	}
	if got := guess(crowd[1], u.Name, code); got != "replayed" {
		t.Errorf("the same code on another host: got %s, want replayed", got)
	}
	stolen(t, crowd, q, body)
	return met
}

// stolen asks with a token that was answered, as another host, for another user, with another code.
func stolen(t *testing.T, crowd []*fleet.Asker, q wire.Question, body authority.Guess) {
	t.Helper()
	otherCode, otherUser := body, q
	otherCode.Code, otherUser.User = "000000", q.User+"x"
	for name, got := range map[string]string{
		"host": word(crowd[1].Ask(q, body)),
		"user": word(crowd[0].Ask(otherUser, body)),
		"code": word(crowd[0].Ask(q, otherCode)),
	} {
		if got == "accepted" || got == "wrong" {
			t.Errorf("a token that was answered, from another %s: got %s", name, got)
		}
	}
}
