package wire_test

import (
	"fmt"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/wire"
)

// A host seals a question, a service opens it and answers, and the host opens the answer.
func Example() {
	host, fleet := fleetkey.NewSigning(), fleetkey.NewSigning()
	opening, _ := fleetkey.OpeningFrom([]byte("32 secret bytes of the whole fleet"))

	sealed, _ := wire.Seal(wire.Question{
		Version: wire.Version, Host: "web1", Token: wire.NewToken(), At: time.Unix(1800000000, 0),
		Op: "verify", User: "alice", UID: 1000,
	}, host, opening.Public())

	opened, _ := wire.Open(sealed.Request, opening)
	key := map[string]fleetkey.Public{"web1": host.Public()}[opened.Claimed().Host]
	question, err := opened.Prove(key)
	fmt.Println(question.Op, question.User, err)
	body, _ := opened.Answer(wire.Answer{Epoch: 1, Node: "mfa1"}, fleet)

	answer, err := sealed.Open(body, fleet.Public())
	fmt.Println(answer.Node, answer.Fault == wire.Done, err)
	// Output:
	// verify alice <nil>
	// mfa1 true <nil>
}
