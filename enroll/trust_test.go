package main

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/pam/state"
	"latchkey/pam/twilio/standin"
)

// trusting gives a user trusted computers, as logins do.
func (s *site) trusting(u identity, trusts ...state.Trust) {
	s.t.Helper()
	st, err := s.keyring().States.Open(u.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	st.Trusts = trusts
	if err := st.Commit(); err != nil {
		s.t.Fatal(err)
	}
}

// threeComputers are one by its key, one by its address, and one whose time is over.
func threeComputers() []state.Trust {
	now := time.Now().Truncate(time.Second)
	return []state.Trust{
		{Key: [16]byte{1}, Anywhere: true, Since: now.Add(-31 * 24 * time.Hour), Days: 30},
		{Key: [16]byte{1, 2, 3}, From: netip.MustParseAddr("192.0.2.7"), Anywhere: true,
			Since: now.Add(-time.Hour), Days: 30},
		{From: netip.MustParseAddr("2001:db8:1:2::"), Since: now.Add(-time.Minute), Days: 7},
	}
}

const (
	byKeyLabel     = "SHA256:AQIDAAAAAAAAAAAAAAAAA"
	byAddressLabel = "2001:db8:1:2::/64"
)

func TestTrustListsTheComputersWhoseTimeIsNotOver(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	if got, want := s.asRoot("trust", "--user", alice.Name),
		alice.Name+" trusts no computer.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	trusts := threeComputers()
	s.trusting(alice, trusts...)
	want := " 1  " + byKeyLabel + "  since " + minute(trusts[1].Since) + ", until " +
		minute(trusts[1].Until()) +
		", given from 192.0.2.7\n 2  " + byAddressLabel + "  since " + minute(trusts[2].Since) +
		", until " + minute(trusts[2].Until()) + "\n"
	if got := s.asRoot("trust", alice.Name); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	own := s.as(alice, "trust") // no password: nothing here is secret from its owner
	expect(t, own, byKeyLabel)
	exits(t, own, exitDone)
	s.logs()
}

func TestTrustInJSONSaysWhatAComputerIsRecognizedBy(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	read := func() (got struct {
		User      string
		Computers []map[string]any
	}) {
		if err := json.Unmarshal([]byte(s.asRoot("trust", "--user", alice.Name, "--json")),
			&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read(); got.User != alice.Name || got.Computers == nil || len(got.Computers) > 0 {
		t.Errorf("got %+v, want an empty list", got)
	}
	s.trusting(alice, threeComputers()...)
	got := read().Computers
	if len(got) != 2 {
		t.Fatalf("got %+v, want 2 computers", got)
	}
	for i, want := range []map[string]any{
		{"number": 1.0, "label": byKeyLabel, "key": byKeyLabel, "address": nil,
			"given_from": "192.0.2.7"},
		{"number": 2.0, "label": byAddressLabel, "key": nil, "address": byAddressLabel,
			"given_from": byAddressLabel},
	} {
		for name, value := range want {
			if got[i][name] != value {
				t.Errorf("computer %d: got %s %v, want %v", i+1, name, got[i][name], value)
			}
		}
		for _, name := range []string{"since", "until"} {
			if at, err := time.Parse(time.RFC3339, got[i][name].(string)); err != nil ||
				at.Location() != time.UTC {
				t.Errorf("computer %d: got %s %v, %v; want a time in UTC", i+1, name,
					got[i][name], err)
			}
		}
	}
}

func TestRootRevokesTrustByNumberByLabelAndAtOnce(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	for word, left := range map[string]string{"1": byAddressLabel, "2": byKeyLabel,
		byKeyLabel: byAddressLabel, "all": ""} {
		s.trusting(alice, threeComputers()...)
		s.asRoot("trust", "revoke", word, "--user", alice.Name)
		got := s.asRoot("trust", "--user", alice.Name)
		if left == "" && !strings.Contains(got, "trusts no computer") ||
			!strings.Contains(got, left) || strings.Count(got, "\n") != 1 {
			t.Errorf("revoked %s: got %q left, want %q alone", word, got, left)
		}
	}
	s.logged()
	s.trusting(alice, threeComputers()...)
	s.asRoot("trust", "revoke", "1", alice.Name)
	s.logs(`change=distrust user="games" by="root" device="` + byKeyLabel + `"`)
	if got := len(s.state(alice).Trusts); got != 2 {
		t.Errorf("got %d left in the state, want 2", got)
	}
	if got := s.asRoot("trust", "revoke", "all", "--user", alice.Name,
		"--json"); !strings.Contains(got, `"changed": true`) {
		t.Errorf("got %s", got)
	}
	if got := s.asRoot("trust", "revoke", "all", "--user", alice.Name,
		"--json"); !strings.Contains(got, `"changed": false`) {
		t.Errorf("got %s", got)
	}
}

// A session that was left open revokes nothing, and lists it.
func TestUserRevokesTrustWithPasswordAndCode(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	s.trusting(alice, threeComputers()...)
	stranger := s.as(alice, "trust", "revoke", "1")
	talk(t, stranger, "Password: ", "a guess", "password not accepted; nothing was changed")
	exits(t, stranger, exitFailed)
	thief := s.as(alice, "trust", "revoke", "1")
	talk(t, thief, "Password: ", password, "Verification code: ", wrongCode(),
		"code not accepted; nothing was changed")
	exits(t, thief, exitFailed)
	if got := len(s.state(alice).Trusts); got != 3 {
		t.Errorf("got %d trusts, want 3", got)
	}
	owner := s.as(alice, "trust", "revoke", "1")
	talk(t, owner, "Password: ", password, "Verification code: ", codeAt(t, rfcApp(), 0),
		"no longer trusts 1 computer")
	exits(t, owner, exitDone)
	if got := s.state(alice).Trusts; len(got) != 2 || got[1].Key != [16]byte{} {
		t.Errorf("got %+v left, want the one by its address, and one that is over", got)
	}
}

func TestTrustRefusesWhatItDoesNotKnowAndOthers(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	s.withApp(bob)
	s.trusting(alice, threeComputers()...)
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"trust", "revoke"}, exitUsage, "enroll trust revoke needs COMPUTER"},
		{[]string{"trust", "revoke", "1", alice.Name, "2"}, exitUsage, `unexpected argument "2"`},
		{[]string{"trust", alice.Name, "revoke"}, exitUsage, `unexpected argument "revoke"`},
		{[]string{"trust", bob.Name}, exitFailed, "only root may name another user"},
		{[]string{"trust", "revoke", "1", bob.Name}, exitFailed,
			"only root may name another user"},
		{[]string{"trust", "revoke", "0"}, exitFailed, `trusts no computer "0"`},
		{[]string{"trust", "revoke", "3"}, exitFailed, `trusts no computer "3"`},
		{[]string{"trust", "revoke", "ALL"}, exitFailed, `trusts no computer "ALL"`},
		{[]string{"trust", "revoke", "1", "--yes"}, exitFailed, "--yes is for root"},
		{[]string{"trust", "--user", bob.Name}, exitFailed, "only root may name another user"},
		{[]string{"trust", "revoke", "1", "--user", bob.Name}, exitFailed,
			"only root may name another user"},
	} {
		term := s.as(alice, c.args...)
		expect(t, term, "enroll: error: .*"+strings.ReplaceAll(c.says, "/", "."))
		exits(t, term, c.exit)
	}
	nobody := s.as(carol, "trust")
	expect(t, nobody, "no second factor is set up")
	exits(t, nobody, exitFailed)
	if got := len(s.state(alice).Trusts); got != 3 {
		t.Errorf("got %d trusts, want 3", got)
	}
	s.logs()
}
