// Command latchkey-twilio holds one exchange with Twilio Verify: one request on standard input,
// one answer on standard output (pam/twilio/protocol). latchkey-login starts it as an unprivileged
// user with harden.Environment, and believes only what it writes: its exit status says nothing. On a
// single host it is the only program of latchkey that opens a network connection.
package main

import (
	"io"
	"os"
	"time"

	"latchkey/pam/twilio/protocol"
	"latchkey/pam/unprivileged/harden"
)

// lifetime ends a program whose request never ends or whose answer is never read.
const lifetime = protocol.MaxTimeout + 2*time.Second

func main() {
	if _, err := harden.Process("latchkey-twilio", lifetime); err != nil {
		os.Exit(1)
	}
	os.Exit(run(os.Stdin, os.Stdout, time.Now))
}

// run reads a request and writes the answer. Where it cannot, it writes nothing, which is a
// denial.
func run(in io.Reader, out io.Writer, clock func() time.Time) int {
	data, err := protocol.EncodeAnswer(serve(in, clock))
	if err != nil {
		return 1
	}
	if _, err := out.Write(data); err != nil {
		return 1
	}
	return 0
}

func serve(in io.Reader, clock func() time.Time) protocol.Answer {
	r, err := protocol.ReadRequest(in)
	if err != nil {
		return protocol.Answer{Version: protocol.Version, Result: protocol.Refused,
			Detail: line(r, err.Error())}
	}
	if err := confined(r.Service); err != nil {
		return protocol.Answer{Version: protocol.Version, Result: protocol.Refused,
			Detail: line(r, "cannot give up what it does not need: "+err.Error())}
	}
	return answer(r, clock)
}
