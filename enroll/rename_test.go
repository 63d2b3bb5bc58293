package main

import (
	"testing"

	"latchkey/pam/twilio/standin"
)

func TestRenameTakesAProofAndIsLogged(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	before := s.savedRecord(alice)
	for _, refused := range [][2]string{{"a guess", "password not accepted"},
		{password, askedForProof}} {
		term := s.as(alice, "rename", "app", "--label", "new")
		talk(t, term, "Password: ", refused[0], refused[1])
		if refused[0] == password {
			talk(t, term, "", wrongCode(), "code not accepted; nothing was changed")
		}
		exits(t, term, exitFailed)
	}
	other := s.as(bob, "rename", "app", "--label", "new", alice.Name)
	expect(t, other, "only root may name another user")
	exits(t, other, exitFailed)
	if s.savedRecord(alice) != before {
		t.Error("a refused rename changed the record")
	}
	s.logged()
	term := s.as(alice, "rename", "app", "--label", "new")
	talk(t, term, "Password: ", password, askedForProof, codeAt(t, rfcApp(), 0),
		`renamed: device "app" of games is now "new"`)
	exits(t, term, exitDone)
	s.logs(`change=rename user="games" by="games" device="new" detail="was app"`)
	s.tests(alice, codeAt(t, rfcApp(), 1), `accepted: device "new"`)
}

// What is renamed is settled before the proof, which may take minutes.
func TestRenameOfADeviceThatIsGoneMeanwhileSaysSo(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	s.asRoot("add", "totp", "--yes", "--label", "tablet", alice.Name)
	term := s.as(alice, "rename", "tablet", "--label", "pad")
	talk(t, term, "Password: ", password, askedForProof)
	s.asRoot("rename", "tablet", "--label", "old", alice.Name)
	s.asRoot("add", "totp", "--yes", "--label", "tablet", alice.Name)
	s.asRoot("remove", "old", alice.Name)
	s.keepsRecord(t, alice)
	talk(t, term, "", codeAt(t, rfcApp(), 0), "the devices of this account were changed meanwhile")
	exits(t, term, exitFailed)
}

// The new phone has the label of the old one.
func TestRemoveOfADeviceThatWasReplacedMeanwhileKeepsTheNewOne(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	s.asRoot("add", "totp", "--yes", "--label", "tablet", alice.Name)
	term := s.as(alice, "remove", "tablet")
	talk(t, term, "Password: ", password, askedForProof)
	s.asRoot("replace", "--yes", "--device", "tablet", "--label", "tablet", alice.Name)
	s.keepsRecord(t, alice)
	talk(t, term, "", codeAt(t, rfcApp(), 0), "the devices of this account were changed meanwhile")
	exits(t, term, exitFailed)
}
