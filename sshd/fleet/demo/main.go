// Demo shows a fleet from beginning to end: three nodes of etcd, two services and two hosts with
// real sshds, each in a container of its own. A user enrolls once and logs in on one host; the
// other host refuses the same code; a node of etcd dies, and the next login works.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"latchkey/sshd/fleet"
	"latchkey/sshd/suite"
	"latchkey/sshd/transcript"
)

func main() { os.Exit(transcript.Main("demo-fleet", show)) }

func show(out, progress io.Writer) (err error) {
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
	f, err := fleet.Start(s, dir, fleet.Options{Distribution: suite.Debian13, EtcdInside: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	d := demo{transcript.Transcript{Out: out}, f}
	fmt.Fprintf(out, "Seven containers of %s, run by %s: three with etcd %s, two with "+
		"latchkey-fleetd,\nand the hosts web1 and web2, with %s.\n", suite.Debian13.Name,
		s.Engine, f.Etcd.Version, suite.Debian13.OpenSSH)
	return d.play()
}

// demo is one run of the demonstration.
type demo struct {
	transcript.Transcript
	fleet *fleet.Fleet
}

func (d demo) play() error {
	if err := d.introduce(); err != nil {
		return err
	}
	alice, err := d.fleet.User("alice")
	if err != nil {
		return err
	}
	web1, web2 := d.fleet.Hosts[0], d.fleet.Hosts[1]
	d.Say("Root sets up the second factor of an account, once:")
	if err := d.Enroll(web1.Host, web1.Name, alice); err != nil {
		return err
	}
	code := alice.Code()
	d.Say("Alice logs in on web1. Her app shows %s.", code)
	if err := d.Login(web1.SSHD, web1.Name, alice, true, transcript.Code(code)); err != nil {
		return err
	}
	d.Say("Somebody who knows her password has watched her type %s, and types it on web2:", code)
	again := transcript.Code(code)
	if err := d.Login(web2.SSHD, web2.Name, alice, false, again, again, again); err != nil {
		return err
	}
	if err := d.withoutLeader(alice); err != nil {
		return err
	}
	return d.log(alice)
}

// introduce shows the services and how the hosts have joined.
func (d demo) introduce() error {
	first := d.fleet.Services[0]
	d.Say("The services:")
	if _, err := d.Root(first.Host, first.Name, "", "/usr/sbin/latchkey-fleetd", "status"); err != nil {
		return err
	}
	d.Say("The hosts have joined with a ticket each (latchkey-fleetd host invite web1; " +
		"enroll fleet join TICKET), and know nothing but how to ask:")
	_, err := d.Root(first.Host, first.Name, "", "/usr/sbin/latchkey-fleetd", "host", "list")
	if err != nil {
		return err
	}
	web2 := d.fleet.Hosts[1]
	_, err = d.Root(web2.Host, web2.Name, "", "/bin/ls", "-A", "/etc/latchkey/users")
	return err
}

// withoutLeader kills the node that leads etcd, and logs in on the other host.
func (d demo) withoutLeader(alice *suite.User) error {
	leader, err := d.fleet.Etcd.Leader()
	if err != nil {
		return err
	}
	if err := leader.Kill(); err != nil {
		return err
	}
	d.Say("The node of etcd that led the others, %s, is killed. Alice logs in on web2, with her "+
		"app's next code.", leader.Name)
	web2 := d.fleet.Hosts[1]
	next := func() string { return alice.CodeAt(1) }
	return d.Login(web2.SSHD, web2.Name, alice, true, transcript.Code(next))
}

// log shows what each host's log says.
func (d demo) log(alice *suite.User) error {
	d.Say("What the administrator finds in the logs:")
	for i, n := range []int{1, 2} {
		h := d.fleet.Hosts[i]
		if err := d.Log(h.Host, h.Name+": ", alice.Name, n); err != nil {
			return err
		}
	}
	return nil
}
