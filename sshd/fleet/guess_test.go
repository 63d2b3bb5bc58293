package fleet_test

import (
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/sshd/fleet"
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
			lost := got.of["unknown"] + got.of["no answer"]
			if wrong := got.of["wrong"]; wrong > 10 || wrong+lost < 10 ||
				wrong+lost+got.of["locked"] != 500 {
				t.Errorf("500 wrong codes at once: got %v, want 10 wrong and the rest locked",
					got.of)
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
		first := make(chan string)
		go func() { first <- word(crowd[0].Send(f.Services[0].URL(), sealed)) }()
		time.Sleep(wait)
		must(t, f.Services[0].Kill())
		if got := <-first; got == "accepted" {
			answered++
		} else if got != "no answer" {
			t.Errorf("killed after %v: the first service said %s", wait, got)
		}
		if got := word(crowd[0].Send(f.Services[1].URL(), sealed)); got != "accepted" {
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
