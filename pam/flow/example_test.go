package flow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"latchkey/pam/flow"
)

// terminal is a user who is never asked anything here.
type terminal struct{}

func (terminal) Ask(string) (string, error)    { return "", flow.ErrConversation }
func (terminal) Tell(text string) error        { fmt.Printf("user sees: %s\n", text); return nil }
func (t terminal) TellLater(text string) error { return t.Tell(text) }
func (terminal) InGroup(string) (bool, error)  { return false, nil }

// A login is denied unless every step says otherwise: here by a rule, and by an argument that no
// one knows.
func ExampleFlow_Run() {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	file := filepath.Join(root, "etc/latchkey/latchkey.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		fmt.Println(err)
	}
	if err := os.WriteFile(file, []byte("[[rule]]\nrequire = \"deny\"\n"), 0o644); err != nil {
		fmt.Println(err)
	}
	f := flow.Flow{Root: root, Clock: time.Now, Talk: terminal{}}
	r := flow.Request{
		User: "alice", Name: "alice", UID: 1000, Lookup: flow.Found, Service: "sshd",
		From: "192.0.2.7",
	}
	for _, args := range [][]string{nil, {"nullok"}} {
		r.Args = args
		o := f.Run(r)
		fmt.Println(o.Allow, o.Reason, o.PAM(), o.Detail)
	}
	// Output:
	// user sees: You may not log in here.
	// false forbidden 11 rule 1, line 1, requires deny: no conditions
	// false argument 9 unknown module argument "nullok"
}
