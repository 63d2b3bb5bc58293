package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/sshd/suite/app"
)

// secret is alice's token's and bob's app's, in base32.
const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// counter is where alice's token's next counter is kept.
const counter = "/root/counter"

// token gives the next code of alice's token.
func token() string {
	text, _ := os.ReadFile(counter) // before the first there is none
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	_ = os.WriteFile(counter, []byte(strconv.FormatUint(n+1, 10)), 0o600)
	return tokenAt(n)
}

// first gives the first code of a token with that secret.
func first() string { return tokenAt(0) }

func tokenAt(n uint64) string {
	key, err := app.Bytes(secret)
	if err != nil {
		return err.Error()
	}
	code, err := oath.Code(&record.Device{Type: method.HOTP, Secret: key, Algorithm: "SHA1",
		Digits: 6}, n)
	if err != nil {
		return err.Error()
	}
	return code
}

// bypass gives a code of root's for bob.
func bypass() string {
	out, _ := exec.Command("enroll", "bypass", "bob", "--for", "1h", "--yes").Output()
	return strings.TrimSpace(string(out))
}
