package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/accounts"
	"latchkey/pam/audit"
	"latchkey/pam/state"
	"latchkey/pam/trust"
)

// computer is one that a user trusts; its JSON is an interface.
type computer struct {
	Number int    `json:"number"` // as enroll trust revoke takes it
	Label  string `json:"label"`  // what it is recognized by, in one text
	// the beginning of its key's fingerprint; null: it is not recognized by a key
	Key     *string   `json:"key"`
	Address *string   `json:"address"`
	Given   *string   `json:"given_from"` // where it was when it was trusted; null: not known
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
}

func computerOf(n int, t state.Trust) computer {
	c := computer{
		Number: n, Label: trust.Label(t), Key: textOrNull(trust.Key(t)),
		Given: textOrNull(trust.Address(t)),
		Since: t.Since.UTC(), Until: t.Until().UTC(),
	}
	if !t.Anywhere {
		c.Address = c.Given
	}
	return c
}

func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// trusted lists the computers that a user trusts and whose time is not over.
func (p *program) trusted(o options.Options) error {
	who, err := p.enrolledUser(o.User)
	if err != nil {
		return err
	}
	trusts, err := p.trusts(who)
	if err != nil {
		return err
	}
	computers := []computer{}
	for i, t := range trusts {
		computers = append(computers, computerOf(i+1, t))
	}
	if o.JSON {
		return writeJSON(p.Out, struct {
			User      string     `json:"user"`
			Computers []computer `json:"computers"`
		}{who.Name, computers})
	}
	return writeComputers(p.Out, who, computers)
}

func writeComputers(w io.Writer, who identity, computers []computer) error {
	if len(computers) == 0 {
		_, err := fmt.Fprintf(w, "%s trusts no computer.\n", who.Name)
		return err
	}
	for _, c := range computers {
		given := ""
		if c.Address == nil && c.Given != nil {
			given = ", given from " + *c.Given
		}
		_, err := fmt.Fprintf(w, "%2d  %s  since %s, until %s%s\n", c.Number, c.Label,
			minute(c.Since), minute(c.Until), given)
		if err != nil {
			return err
		}
	}
	return nil
}

// trusts are those of a user whose time is not over.
func (p *program) trusts(who identity) (lasting []state.Trust, err error) {
	err = p.AsRoot(func() error {
		_, st, err := p.store().View(who.User)
		if err != nil {
			return err
		}
		over := func(t state.Trust) bool { return !trust.Lasts(t, p.clock()) }
		lasting = slices.DeleteFunc(st.Trusts, over)
		return nil
	})
	return lasting, err
}

// distrust ends trust: of a computer by its number or label, or of all of them, those included
// whose time is over. It is chosen before the proof, so that what a user has seen is what ends.
func (p *program) distrust(o options.Options) error {
	if o.Yes && p.uid != 0 {
		return hint.Error("--yes is for root", "without it: enroll trust revoke "+o.Operand)
	}
	who, err := p.enrolledUser(o.User)
	if err != nil {
		return err
	}
	chosen, err := p.chosen(who, o.Operand, o.ForUser())
	if err != nil {
		return err
	}
	proof, err := p.prove(who)
	if err != nil {
		return err
	}
	var revoked []state.Trust
	err = p.AsRoot(func() (err error) {
		revoked, err = p.store().Distrust(proof, who.User, chosen)
		return err
	})
	if !made(err) {
		return err
	}
	for _, t := range revoked {
		p.logged(audit.Change{What: "distrust", User: who.Name, Device: trust.Label(t)})
	}
	said := fmt.Sprintf("revoked: %s no longer trusts %s", who.Name,
		plural.Of(len(revoked), "computer"))
	if len(revoked) == 0 {
		said = who.Name + " trusts no computer"
	}
	return p.sayChanged(o, who.Name, len(revoked) > 0, said, err)
}

// chosen are the computers that a word means.
func (p *program) chosen(who identity, word, forUser string) (accounts.Computers, error) {
	if word == "all" {
		return accounts.Computers{All: true}, nil
	}
	trusts, err := p.trusts(who)
	if err != nil {
		return accounts.Computers{}, err
	}
	if n, err := strconv.Atoi(word); err == nil && n >= 1 && n <= len(trusts) {
		return accounts.Computers{One: trusts[n-1]}, nil
	}
	named := accounts.Computers{Label: word}
	if slices.ContainsFunc(trusts, named.Has) {
		return named, nil
	}
	return accounts.Computers{}, hint.Error(fmt.Sprintf("%s trusts no computer %q", who.Name, word),
		"see them with: enroll trust"+forUser)
}
