// Package figures is what a benchmark has measured, and what that amounts to: medians, their
// spread, ratios, and a table of them. It measures nothing.
package figures

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Stack is one way to authenticate. All but the first also ask for the password, by pam_unix.
type Stack string

// The stacks, in the order in which they are shown.
const (
	Unix     Stack = "pam_unix"
	Google   Stack = "google-authenticator"
	Oath     Stack = "pam_oath"
	Latchkey Stack = "latchkey"
)

// Stacks returns all of them.
func Stacks() []Stack { return []Stack{Unix, Google, Oath, Latchkey} }

// Kind is what was measured.
type Kind string

// The kinds.
const (
	Whole Kind = "whole" // a login, from the connection to the end of authentication, in ms
	Code  Kind = "code"  // the part of it after the client has sent the code, in ms
	CPU   Kind = "cpu"   // of the module alone, in ms
	Peak  Kind = "peak"  // memory of the module's largest process, in MiB
	Rate  Kind = "rate"  // logins a second; At of them at the same time
	Crowd Kind = "crowd" // Whole, in ms, where At users are enrolled
)

// Figure is one thing that was measured for all stacks in turns.
type Figure struct {
	Kind Kind
	Host string // a Host's Name
	At   int    `json:",omitempty"`
	// Values has one value for each round, in the order of the rounds: what stands at the same
	// place was measured within the same second or two.
	Values map[Stack][]float64
	Notes  map[Stack]string `json:",omitempty"` // why there are no values
	// of Rate: how many logins were tried, and how many of them were refused with a right code
	Attempts, Refused map[Stack]int `json:",omitempty"`
}

// Host is a system on which logins were measured.
type Host struct {
	Name    string // Debian 12
	OpenSSH string // as its sshd names itself
	Hash    string // how its passwords are hashed, as crypt(5) begins such a hash
}

// Machine is what they ran on.
type Machine struct {
	Processor  string
	CPUs       int
	Virtual    bool
	Memory     int // GiB
	Kernel     string
	FileSystem string // of what logins write
	Go         string
	Commit     string // of the source; empty: not known
	Date       time.Time
}

// Run is everything that was measured in one run.
type Run struct {
	Machine Machine
	Hosts   []Host
	Figures []*Figure
}

// Add starts a figure, to which values are added.
func (r *Run) Add(kind Kind, host string, at int) *Figure {
	f := &Figure{Kind: kind, Host: host, At: at, Values: map[Stack][]float64{},
		Notes: map[Stack]string{}, Attempts: map[Stack]int{}, Refused: map[Stack]int{}}
	r.Figures = append(r.Figures, f)
	return f
}

// Find returns the figures of a kind on a host, in the order in which they were measured.
func (r *Run) Find(kind Kind, host string) (found []*Figure) {
	for _, f := range r.Figures {
		if f.Kind == kind && f.Host == host {
			found = append(found, f)
		}
	}
	return found
}

// Load reads a run that Save has written.
func Load(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Run{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Save writes the run with all its values.
func (r *Run) Save(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
