package policy_test

import (
	"fmt"
	"os"
	"path/filepath"

	"latchkey/pam/policy"
)

// A rule that requires nothing for logins from one network, and a code from everywhere else.
func ExamplePolicy_Decide() {
	p, err := policy.Parse("latchkey.toml", []byte(`
[[rule]]
from = ["10.0.0.0/8"]
require = "none"

[[rule]]
groups = ["wheel"]
require = "code"
methods = ["totp", "key"]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	wheel := func(group string) (bool, error) { return group == "wheel", nil }
	for _, from := range []string{"10.1.2.3", "192.0.2.7"} {
		d := p.Decide(policy.Request{User: "alice", Service: "sshd", From: from, InGroup: wheel})
		fmt.Println(d.Require, d.Methods, d.Why)
	}
	// Output:
	// none [] rule 1, line 2, requires none: from 10.1.2.3 in 10.0.0.0/8
	// code [totp key] rule 2, line 6, requires code: group "wheel"
}

// Load refuses a file that others could have written, and says where a mistake is.
func ExampleLoad() {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	file := filepath.Join(root, "latchkey.toml")
	for _, text := range []string{"[limits]\ntries = 5\n", "[limits]\ntrys = 5\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			fmt.Println(err)
		}
		p, err := policy.Load(root, "/latchkey.toml")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(p.Tries, "tries")
	}
	// Output:
	// 5 tries
	// /latchkey.toml:2: unknown key "trys" in [limits]
}
