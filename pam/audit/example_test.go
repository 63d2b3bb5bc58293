package audit_test

import (
	"fmt"
	"strings"
	"time"

	"latchkey/pam/audit"
)

// Values from outside cannot end a line or look like another field.
func ExampleLine_String() {
	line := audit.Line{
		User: "alice\" reason=ok\n", Service: "sshd", From: "192.0.2.7", Method: "totp",
		Device: "phone", Reason: "replayed", Tries: 1, Took: 4 * time.Millisecond,
	}
	fmt.Println(strings.Replace(line.String(), " method", "\nmethod", 1))
	// Output:
	// latchkey: verdict=deny user="alice\x22 reason=ok\x0a" service="sshd" from="192.0.2.7"
	// method=totp device="phone" reason=replayed tries=1 ms=4
}

func ExampleChange_String() {
	fmt.Println(audit.Change{What: "add", User: "alice", By: "root", Device: "phone"})
	// Output:
	// latchkey: change=add user="alice" by="root" device="phone"
}
