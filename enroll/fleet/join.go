package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"latchkey/enroll/fleet/reach"
	"path"
	"strings"
	"time"

	"latchkey/enroll/hint"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// Join makes a host one of a fleet.
type Join struct {
	Root       string
	Clock      func() time.Time
	Ticket     string        // as latchkey-fleetd host invite printed it
	BreakGlass []record.User // who may log in while no service can be reached
	// Codes makes break-glass codes of a user's for this host.
	Codes func(u record.User) ([]string, error)
}

// Joined is what came of it; its JSON is an interface.
type Joined struct {
	Host       string   `json:"host"`
	Roles      []string `json:"roles"`
	Services   []string `json:"services"`
	BreakGlass []Codes  `json:"break_glass"`
}

// Codes are break-glass codes.
type Codes struct {
	User  string   `json:"user"`
	Codes []string `json:"codes"`
}

// standing is what a service says of the host that asks.
type standing struct {
	Host      string   `json:"host"`
	Roles     []string `json:"roles"`
	VerifyKey []string `json:"verify_key"`
	Policy    string   `json:"policy"`
}

// errJoined refuses a second fleet, which would leave the users of the first one out.
var errJoined = hint.Error("this host is one of a fleet already",
	"see: enroll fleet status; to leave it: enroll fleet leave --yes")

// Run joins. The host is in the fleet from the moment on in which fleet.toml is there, which is
// the last thing that is written: killed before, it is as it was, and the same ticket may be used
// again on it.
func (j Join) Run() (Joined, error) {
	s, t, err := j.settings()
	if err != nil {
		return Joined{}, err
	}
	etc, lib, err := j.folders()
	if err != nil {
		return Joined{}, err
	}
	defer etc.Close()
	defer lib.Close()
	if err := etc.Lock(); err != nil { // the other one is locked where an epoch is noted
		return Joined{}, err
	}
	if settings.InFleet(j.Root) { // another one was faster
		return Joined{}, errJoined
	}
	keyFile, err := j.key(lib.Dir, s)
	if err != nil {
		return Joined{}, err
	}
	is, err := j.ask(s, t)
	if err != nil {
		return Joined{}, err
	}
	joined := Joined{Host: s.Host, Roles: is.Roles, Services: s.Services, BreakGlass: []Codes{}}
	if joined.BreakGlass, err = j.codes(s); err != nil {
		return Joined{}, err
	}
	return joined, j.write(etc.Dir, lib.Dir, s, keyFile)
}

// settings are what the ticket says of the fleet.
func (j Join) settings() (*settings.Settings, settings.Ticket, error) {
	if settings.InFleet(j.Root) {
		return nil, settings.Ticket{}, errJoined
	}
	t, err := settings.ParseTicket(j.Ticket)
	if err != nil {
		return nil, t, hint.Error(err.Error(), "paste the whole line; a new one: "+
			"latchkey-fleetd host invite NAME")
	}
	if !j.Clock().Before(t.Until) {
		return nil, t, hint.Error("the ticket was good until "+
			t.Until.UTC().Format(time.DateTime)+" UTC",
			"have a new one made: latchkey-fleetd host invite "+t.Host)
	}
	s, err := t.Settings()
	return s, t, err
}

// folder is one of the host's that is locked against another join.
type folder struct{ *safefile.Dir }

// Lock waits for another join.
func (f folder) Lock() error {
	return safefile.Patience{Limit: 10 * time.Second}.LockDir(f.Dir)
}

func (j Join) folders() (etc, lib folder, err error) {
	if etc.Dir, err = safefile.OpenDir(j.Root + path.Dir(settings.Path)); err != nil {
		return etc, lib, err
	}
	if lib.Dir, err = safefile.OpenDir(j.Root + path.Dir(settings.KeyPath)); err != nil {
		etc.Close()
	}
	return etc, lib, err
}

// key makes the host's key, or goes on with that of a join that was killed: the fleet may know it
// by now. The name of its file is of the ticket, so that no key that was stolen with an old disk
// is ever used again.
func (j Join) key(lib *safefile.Dir, s *settings.Settings) (file string, err error) {
	digest := sha256.Sum256([]byte(strings.TrimSpace(j.Ticket)))
	file = settings.Joining + hex.EncodeToString(digest[:8])
	text, err := lib.ReadFile(file, safefile.Private, 256)
	if err == nil {
		s.Key, err = fleetkey.ParseHost(text)
	}
	if err != nil { // the fleet does not know a key that was not written whole
		s.Key = fleetkey.NewSigning()
		if err = lib.Replace(file, fleetkey.FormatHost(s.Key)); err != nil {
			return "", err
		}
	}
	return file, j.forgetKeys(lib, file)
}

// forgetKeys removes what other joins have left, now that there is the file of this one.
func (j Join) forgetKeys(lib *safefile.Dir, but string) error {
	names, err := lib.Names()
	for _, name := range names {
		if strings.HasPrefix(name, settings.Joining) && name != but {
			lib.Remove(name)
		}
	}
	return err
}

// ask has the fleet take the host in.
func (j Join) ask(s *settings.Settings, t settings.Ticket) (is standing, err error) {
	// What was seen of another fleet says nothing of this one.
	if err := j.forgetEpoch(); err != nil {
		return is, err
	}
	d := &dispatch.Dispatcher{Root: j.Root, Clock: j.Clock, Watched: -1, Unlimited: true}
	client := remote.New(j.Root, s, d)
	client.Service = reach.Service
	err = client.Ask("join", record.User{}, map[string]any{
		"secret": t.Secret, "key": s.Key.Public().String()}, &is)
	if wire.FaultOf(err) == wire.Revoked && err != nil {
		return is, hint.Error("the fleet does not take the ticket: it was used, is too old, or "+
			"was taken back", "have a new one made: latchkey-fleetd host invite "+s.Host)
	}
	if err != nil {
		return is, err
	}
	return is, j.learn(s, is)
}

// learn takes over the keys that the fleet signs with now: the ticket may be a day old.
func (j Join) learn(s *settings.Settings, is standing) error {
	s.VerifyKey = nil
	for _, text := range is.VerifyKey {
		k, err := fleetkey.ParsePublic(text)
		if err != nil {
			return fmt.Errorf("verify_key: %w", err)
		}
		s.VerifyKey = append(s.VerifyKey, k)
	}
	if len(s.VerifyKey) == 0 {
		return errors.New("the fleet has named no key that it signs with")
	}
	return nil
}

func (j Join) forgetEpoch() error {
	dir, err := safefile.OpenDir(j.Root + path.Dir(remote.EpochPath))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Remove(path.Base(remote.EpochPath)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// codes makes break-glass codes. They count once fleet.toml names the users.
func (j Join) codes(s *settings.Settings) (all []Codes, err error) {
	all = []Codes{}
	for _, u := range j.BreakGlass {
		codes, err := j.Codes(u)
		if err != nil {
			return nil, err
		}
		s.Unreachable = settings.BreakGlass
		s.BreakGlass = append(s.BreakGlass, u.Name)
		all = append(all, Codes{u.Name, codes})
	}
	return all, nil
}

// write writes the host's files, fleet.toml last.
func (j Join) write(etc, lib *safefile.Dir, s *settings.Settings, keyFile string) error {
	key := fleetkey.FormatHost(s.Key)
	if err := lib.Replace(path.Base(settings.KeyPath), key); err != nil {
		return err
	}
	if err := etc.ReplacePublic(path.Base(s.CAFile), []byte(s.CA)); err != nil {
		return err
	}
	if err := etc.ReplacePublic(path.Base(settings.Path), s.Format()); err != nil {
		return err
	}
	lib.Remove(keyFile) // it is the host's key now
	return nil
}
