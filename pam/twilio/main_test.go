package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"latchkey/pam/twilio/protocol"
)

// entry links the whole program into the test, so that go test does not take its cached result for
// a program that changed: most tests start the program as a process, which the cache does not see.
var entry = main

func TestProgramIsLinkedIntoItsTest(t *testing.T) {
	if entry == nil {
		t.Error("it is not")
	}
}

func TestRequestThatCannotBeReadIsRefused(t *testing.T) {
	for name, in := range map[string]io.Reader{"not a request": strings.NewReader("x"),
		"an error": broke{}} {
		var out bytes.Buffer
		if status := run(in, &out, time.Now); status != 0 {
			t.Errorf("%s: status %d", name, status)
		}
		if a, err := protocol.DecodeAnswer(out.Bytes()); err != nil ||
			a.Result != protocol.Refused {
			t.Errorf("%s: %v %+v", name, err, a)
		}
	}
}

func TestAnswerThatCannotBeWrittenEndsTheProgram(t *testing.T) {
	if run(strings.NewReader("x"), broke{}, time.Now) == 0 {
		t.Error("as if it had been written")
	}
}

type broke struct{}

func (broke) Read([]byte) (int, error)  { return 0, errors.New("broken") }
func (broke) Write([]byte) (int, error) { return 0, errors.New("broken") }
