// Bench measures a fleet: what it adds to a login on a single host, measured in turns, and how many
// codes three services check in a second. It prints, and judges nothing but that every right code
// was accepted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/sshd/fleet"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("bench-fleet", flag.ContinueOnError)
	flags.SetOutput(progress)
	rounds := flags.Int("rounds", 100, "how many logins on each side")
	crowd := flags.Int("crowd", 2000, "how many users log in at once")
	users := flags.Int("users", 0, "how many users have an account besides, and logins are measured "+
		"once more with them")
	if flags.Parse(args) != nil {
		return 2
	}
	if err := measure(sizes{*rounds, *crowd, *users}, out, progress); err != nil {
		fmt.Fprintln(progress, "bench-fleet: error:", err)
		return 1
	}
	return 0
}

// sizes are how much is measured.
type sizes struct{ rounds, crowd, users int }

func measure(n sizes, out, progress io.Writer) (err error) {
	s, err := suite.Open(progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	dir, err := os.MkdirTemp("", "latchkey-fleet-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, err := fleet.Start(s, dir, fleet.Options{Hosts: 1, Services: 3,
		Etcd:    cluster.Options{Direct: true},
		Service: "host_limit = \"1000/10m\"\nhost_users = 1000\n"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := logins(s, f, n.rounds, out); err != nil {
		return err
	}
	if n.users > 0 {
		if err := populate(f, n.users, out); err != nil {
			return err
		}
		if err := logins(s, f, n.rounds, out); err != nil {
			return err
		}
		if err := list(f, out); err != nil {
			return err
		}
	}
	return guesses(f, n.crowd, out)
}

// logins compares whole logins by password and code, in turns. Each has a user of its own, since a
// code works once.
func logins(s *suite.Suite, f *fleet.Fleet, rounds int, out io.Writer) error {
	single, err := s.Private(suite.Debian12)
	if err != nil {
		return err
	}
	defer single.Close()
	server, err := single.Server(suite.PasswordAndCode)
	if err != nil {
		return err
	}
	alone, err := single.Users(rounds)
	if err != nil {
		return err
	}
	together, err := f.Users(rounds)
	if err != nil {
		return err
	}
	for _, u := range alone {
		if err := u.Enroll(); err != nil {
			return err
		}
	}
	sides := []*side{{server: server, users: alone}, {server: f.Hosts[0].SSHD, users: together}}
	for i := range rounds {
		for n := range sides { // each is as often the one that follows the other
			if err := sides[(i+n)%len(sides)].login(i); err != nil {
				return err
			}
		}
	}
	on, in := median(sides[0].took), median(sides[1].took)
	fmt.Fprintf(out, "whole login, medians of %d in turns: single host %v, fleet %v, %v more\n",
		rounds, on, in, in-on)
	return nil
}

// side is one of what is compared.
type side struct {
	server *suite.Server
	users  []*suite.User
	took   []time.Duration
}

// login has a user log in, and waits until nothing of the login is left, with which the next one
// would compete.
func (s *side) login(i int) error {
	u := s.users[i]
	o := s.server.Login(suite.Attempt{User: u.Name, Password: suite.Password,
		Codes: []string{u.Code()}})
	o.Close()
	s.took = append(s.took, o.Whole)
	if o.Err != nil {
		return o.Err
	}
	return poll.Until("the end of a session", time.Minute, func() error {
		left, err := s.server.Processes()
		if err == nil && len(left) > 1 { // beside the server
			err = fmt.Errorf("%d processes are left", len(left)-1)
		}
		return err
	})
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2].Round(10 * time.Microsecond)
}

// guesses has a crowd of users type a right code at the same time, from 50 hosts.
func guesses(f *fleet.Fleet, n int, out io.Writer) error {
	hosts, err := f.Crowd(50)
	if err != nil {
		return err
	}
	users := make([]*suite.User, n)
	for i := range users {
		users[i] = &suite.User{Name: fmt.Sprintf("crowd%d", i)}
	}
	if err := f.Seed(users...); err != nil {
		return err
	}
	size, err := f.Size(context.Background())
	if err != nil {
		return err
	}
	said := make([]string, n)
	var all sync.WaitGroup
	begin, cpu := time.Now(), spent()
	for i, u := range users {
		all.Go(func() { said[i] = guess(hosts[i%len(hosts)], i, u) })
	}
	all.Wait()
	took := time.Since(begin)
	counts := map[string]int{}
	for _, word := range said {
		counts[word]++
	}
	fmt.Fprintf(out, "%d users at once from 50 hosts, in %v: %v, %.0f accepted a second; "+
		"the hosts' part is %v of CPU time; etcd has %d KiB\n", n, took.Round(10*time.Millisecond),
		counts, float64(counts[string(authority.Accepted)])/took.Seconds(),
		(spent() - cpu).Round(10*time.Millisecond), size>>10)
	if counts[misjudged] > 0 {
		return fmt.Errorf("%d of %d right codes were taken for others", counts[misjudged], n)
	}
	return nil
}

// spent is the CPU time of this process.
func spent() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What became of a question besides an accepted code and a fault.
const (
	refused   = "refused" // by every service, before it was begun
	late      = "late"    // no answer by the deadline
	misjudged = "misjudged"
)

// guess asks the services in turn, beginning with one of the user's own, whether the user's code is
// right, which it is. It returns the result, or the fault.
func guess(a *fleet.Asker, i int, u *suite.User) string {
	q := wire.Question{Op: "guess", User: u.Name, Service: "sshd"}
	body := authority.Guess{Code: u.Code(), Login: authority.Login{Methods: method.All(),
		Limits: limit.Guesses{Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
			Lock: 15 * time.Minute, Consecutive: 100}}}
	sealed, err := a.Seal(q, body)
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(context.Background(), wire.AnswerTime)
	defer cancel()
	for n := range a.Services {
		answer, err := a.Send(ctx, a.Services[(i+n)%len(a.Services)], sealed)
		if err == nil {
			return judged(answer)
		}
		if ctx.Err() != nil {
			return late
		}
	}
	return refused
}

func judged(answer wire.Answer) string {
	var got authority.Guessed
	switch {
	case answer.Fault != wire.Done:
		return string(answer.Fault)
	case json.Unmarshal(answer.Body, &got) != nil:
		return "no answer"
	case got.Result != authority.Accepted:
		return misjudged
	}
	return string(got.Result)
}
