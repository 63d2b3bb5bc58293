package fleet_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/pam/fleet/breakglass/issue"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{"join": joins, "import": imports,
		"export": exports, "leave": func(args []string) error { return fleet.Leave(args[0]) }})
}

var alice = record.User{Name: "alice", UID: 1000}

// joins is what a killed process does. Its arguments are the root and the file of the ticket.
func joins(args []string) error {
	ticket, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	j := join(testroot.Root(args[0]), string(ticket))
	j.BreakGlass = nil
	_, err = j.Run()
	return err
}

// join is a join, after which alice may break the glass.
func join(root testroot.Root, ticket string) fleet.Join {
	return fleet.Join{Root: string(root), Clock: time.Now, Ticket: ticket,
		BreakGlass: []record.User{alice},
		Codes:      func(u record.User) ([]string, error) { return issue.Codes(string(root), u) }}
}

// newHost is a host with latchkey-fleet that has not joined any fleet.
func newHost(t *testing.T) testroot.Root {
	t.Helper()
	root := testroot.New(t)
	standin.Helper(t, root)
	return root
}

// ticketOf is a ticket for a host of f.
func ticketOf(t *testing.T, f *testfleet.Fleet, name string, roles ...hosts.Role) string {
	t.Helper()
	until := f.Clock().Add(time.Hour)
	invited := hosts.Host{Name: name, Roles: roles}
	random, err := f.Admin.Invite(testfleet.Context(t), invited, until)
	testroot.Must(t, err)
	opening, err := f.Secret.Opening()
	testroot.Must(t, err)
	ticket := settings.Ticket{FleetKey: opening.Public().String(), CA: string(f.Authority.PEM),
		Host: name, Secret: random, Until: until}
	for _, s := range f.Services {
		ticket.Services = append(ticket.Services, fmt.Sprintf("https://%s", s.Addr()))
	}
	for _, k := range f.Keys(t) {
		ticket.VerifyKey = append(ticket.VerifyKey, k.String())
	}
	text, err := ticket.Encode()
	testroot.Must(t, err)
	return text
}

// left is how many break-glass codes a user has on a host.
func left(root testroot.Root) func(string) (int, error) {
	return func(name string) (int, error) {
		return issue.Left(string(root), record.User{Name: name, UID: alice.UID})
	}
}

func examined(root testroot.Root, now func() time.Time) fleet.Status {
	return fleet.Examination{Root: string(root), Clock: now, Left: left(root)}.Run()
}
