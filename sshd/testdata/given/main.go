// Given has a user trust a computer since some time ago, as a login at that time would have done: the
// clock of a container cannot be set. Its arguments are the user's name and uid, the policy,
// the service, how long ago, and the line of a public key.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/sshkey"
	"latchkey/pam/trust"
)

func main() {
	if err := give(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func give(args []string) error {
	if len(args) != 6 {
		return fmt.Errorf("%d arguments, not 6", len(args))
	}
	uid, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return err
	}
	rules, err := policy.Load("", args[2])
	if err != nil {
		return err
	}
	ago, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	key, err := sshkey.Parse(args[5])
	if err != nil {
		return err
	}
	user := record.User{Name: args[0], UID: uint32(uid)}
	keyring := factor.NewKeyring("", safefile.Patience{Limit: 5 * time.Second})
	r, _, err := keyring.View(user)
	if err != nil {
		return err
	}
	d := rules.Decide(policy.Request{User: user.Name, Service: args[3], From: "127.0.0.1"})
	return trust.Give(keyring, trust.Proven{
		User: user, Enrollment: r.Enrollment, Device: r.Devices[0].ID, Limits: rules.Limits,
	}, trust.Computer{
		Trust: d.Trust, Terms: d.Terms(), Service: args[3], Keys: []sshkey.Key{key},
	}, time.Now().Add(-ago))
}
