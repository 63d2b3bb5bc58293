package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"latchkey/sshd/bench/figures"
	"latchkey/sshd/suite"
)

// settle is how long the end of one login gets before the next begins.
const settle = 10 * time.Millisecond

// logins measures whole logins and their part after the typed code. The first round only warms up.
func (b *bench) logins(rounds int) error {
	whole := b.result.Add(figures.Whole, b.name, 0)
	code := b.result.Add(figures.Code, b.name, 0)
	for round := range rounds + 1 {
		outcomes, err := b.round(figures.Stacks())
		if err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		for s, o := range outcomes {
			whole.Values[s] = append(whole.Values[s], ms(o.Whole))
			if s != figures.Unix {
				code.Values[s] = append(code.Values[s], ms(o.AfterCode))
			}
		}
		b.say("logins", round, rounds)
	}
	return nil
}

// tries is how often a round is begun: a peer that refuses a right code now and then does not end
// a run of ten minutes.
const tries = 3

// round logs one user in by each of the stacks.
func (b *bench) round(stacks []figures.Stack) (map[figures.Stack]*suite.Outcome, error) {
	for try := 1; ; try++ {
		outcomes, err := b.each(stacks)
		if err == nil || try == tries {
			return outcomes, err
		}
		fmt.Fprintln(b.progress, "bench: again with another user:", err)
	}
}

// each is one try of a round, in an order drawn by lot.
func (b *bench) each(stacks []figures.Stack) (map[figures.Stack]*suite.Outcome, error) {
	taken, err := b.users.take(1)
	if err != nil {
		return nil, err
	}
	defer b.users.giveBack(taken)
	outcomes := map[figures.Stack]*suite.Outcome{}
	for _, i := range rand.Perm(len(stacks)) {
		if outcomes[stacks[i]], err = b.login(stacks[i], taken[0]); err != nil {
			return nil, err
		}
		time.Sleep(settle)
	}
	return outcomes, nil
}

// login logs in and hangs up.
func (b *bench) login(s figures.Stack, u *user) (*suite.Outcome, error) {
	o := b.servers[s].Login(suite.Attempt{
		User: u.Name, Password: suite.Password, Codes: []string{u.Code()},
	})
	o.Close()
	if !o.In() {
		return nil, fmt.Errorf("%s on %s: %w", s, b.name, o.Err)
	}
	return o, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
