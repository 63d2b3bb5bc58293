package main

import (
	"encoding/base32"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
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
	code, err := oath.Code(&record.Device{Type: method.HOTP, Secret: decoded(secret),
		Algorithm: "SHA1", Digits: 6}, n)
	if err != nil {
		return err.Error()
	}
	return code
}

// app gives an app's code.
func app(shown string, at time.Time) string {
	d := &record.Device{Type: method.TOTP, Secret: decoded(strings.ReplaceAll(shown, " ", "")),
		Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second}
	code, err := oath.Code(d, oath.Step(d, at))
	if err != nil {
		return err.Error()
	}
	return code
}

func decoded(text string) []byte {
	bytes, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	return bytes
}

// bypass gives a code of root's for bob.
func bypass() string {
	out, _ := exec.Command("enroll", "bypass", "bob", "--for", "1h", "--yes").Output()
	return strings.TrimSpace(string(out))
}
