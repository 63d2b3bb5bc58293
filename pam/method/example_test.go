package method_test

import (
	"fmt"

	"latchkey/pam/method"
)

// Which methods a policy can accept, and which of them need a message to a phone.
func ExampleAll() {
	for _, m := range method.All() {
		fmt.Println(m, m.Sent())
	}
	// Output:
	// totp false
	// hotp false
	// recovery false
	// sms true
	// call true
	// key false
}
