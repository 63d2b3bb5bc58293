package session

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/flow"
	"latchkey/pam/testroot"
)

// ends returns the gate's end, and a conversation at the login's.
func ends(t *testing.T) (*gate, *talk) {
	t.Helper()
	ours, theirs := sockets(t)
	g := &gate{t: t, fd: ours}
	t.Cleanup(g.hangUp)
	t.Cleanup(func() { unix.Close(theirs) })
	c := &clock{now: testroot.Noon}
	return g, &talk{wire: newWire(theirs), clock: c.read}
}

func TestAnswerToAPromptIsTextOrAnErrorThatSaysWhich(t *testing.T) {
	long := strings.Repeat("x", 32767)
	for frame, want := range map[string]struct {
		text string
		err  error
	}{
		"A123456":  {"123456", nil},
		"A":        {"", nil},
		"A" + long: {long, nil},
		"C19":      {"", flow.ErrConversation},
		"P":        {"", flow.ErrPassword},
	} {
		g, talk := ends(t)
		g.send(frame)
		got, err := talk.Ask("Code: ")
		if got != want.text || !errors.Is(err, want.err) {
			t.Errorf("%.10q: got %.10q, %v; want %.10q, %v", frame, got, err, want.text, want.err)
		}
		g.expect("QCode: ")
	}
}

func TestFrameThatIsNoAnswerIsAnErrorAndNotTheUsers(t *testing.T) {
	for frame, says := range map[string]string{
		"Q":                                "type 'Q'",
		"A" + strings.Repeat("x", 32768):   "too long",
		"A" + strings.Repeat("x", 32768*2): "too long",
	} {
		g, talk := ends(t)
		g.send(frame)
		_, err := talk.Ask("Code: ")
		if err == nil || !strings.Contains(err.Error(), says) ||
			errors.Is(err, flow.ErrConversation) || errors.Is(err, flow.ErrPassword) {
			t.Errorf("%.10q: got error %v, want one that says %q", frame, err, says)
		}
	}
}

func TestTextIsShownAndAcknowledged(t *testing.T) {
	g, talk := ends(t)
	g.send("A")
	testroot.Must(t, talk.Tell("no\x00 NUL"))
	g.expect("Eno NUL")
	g.hangUp()
	if err := talk.Tell("text"); !errors.Is(err, flow.ErrConversation) {
		t.Errorf("after the host ended: got error %v, want ErrConversation", err)
	}
}

func TestGroupIsYesOrNoOrAnErrorThatSaysWhy(t *testing.T) {
	for frame, want := range map[string]struct {
		member bool
		says   string
	}{
		"Ayes":             {true, ""},
		"Ano":              {false, ""},
		"A":                {false, "the gate answered neither yes nor no"},
		"Ayes ":            {false, "the gate answered neither yes nor no"},
		"P":                {false, "the gate answered neither yes nor no"},
		"C9 no such group": {false, "no such group"},
		"C9":               {false, "the name service cannot tell"},
		"C9 ":              {false, "the name service cannot tell"},
	} {
		g, talk := ends(t)
		g.send(frame)
		got, err := talk.InGroup("wheel")
		if got != want.member || (err == nil) != (want.says == "") ||
			err != nil && err.Error() != want.says || errors.Is(err, flow.ErrConversation) {
			t.Errorf("%q: got %v, %v; want %v, %q", frame, got, err, want.member, want.says)
		}
		g.expect("Gwheel")
	}
}

func TestGroupOfAUserWhoIsGoneIsAConversationThatEnded(t *testing.T) {
	for name, last := range map[string]string{"with a failure": "C19", "without a word": ""} {
		g, talk := ends(t)
		if last != "" {
			g.send(last)
		}
		testroot.Must(t, unix.Shutdown(g.fd, unix.SHUT_WR))
		if _, err := talk.InGroup("wheel"); !errors.Is(err, flow.ErrConversation) {
			t.Errorf("%s: got error %v, want ErrConversation", name, err)
		}
	}
}

func TestHostIsGoneOnceItsEndIsClosed(t *testing.T) {
	for name, leave := range map[string]func(g *gate){
		"closed":   (*gate).hangUp,
		"shut off": func(g *gate) { unix.Shutdown(g.fd, unix.SHUT_WR) },
	} {
		g, talk := ends(t)
		if talk.wire.hostGone() {
			t.Errorf("%s: gone before it left", name)
		}
		g.send("Ayes")
		if talk.wire.hostGone() {
			t.Errorf("%s: gone because it answered", name)
		}
		leave(g)
		if !talk.wire.hostGone() {
			t.Errorf("%s: not gone although it left", name)
		}
		if _, err := talk.Ask("Code: "); !errors.Is(err, flow.ErrConversation) {
			t.Errorf("%s: got error %v, want ErrConversation", name, err)
		}
	}
}

func TestNothingIsAskedOnceTheHostIsGone(t *testing.T) {
	g, talk := ends(t)
	testroot.Must(t, unix.Shutdown(g.fd, unix.SHUT_WR))
	for range 2 {
		if _, err := talk.Ask("Code: "); !errors.Is(err, flow.ErrConversation) {
			t.Errorf("got error %v, want ErrConversation", err)
		}
	}
	unix.Close(talk.wire.fd)
	g.expect("QCode: ")
	g.expect("")
}

func TestBrokenSocketIsAConversationThatFailed(t *testing.T) {
	null, err := os.Open(os.DevNull)
	testroot.Must(t, err)
	defer null.Close()
	talk := &talk{wire: newWire(int(null.Fd())), clock: (&clock{}).read}
	if _, err := talk.Ask("Code: "); !errors.Is(err, flow.ErrConversation) {
		t.Errorf("got error %v, want ErrConversation", err)
	}
	if _, _, err := talk.wire.receive(); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("got error %v, want ENOTSOCK", err)
	}
}

// standardOutput keeps descriptor 1 as it is, for a test that replaces it.
func standardOutput(t *testing.T) {
	t.Helper()
	kept, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	testroot.Must(t, err)
	t.Cleanup(func() {
		testroot.Must(t, unix.Dup3(kept, 1, 0))
		unix.Close(kept)
	})
}

func TestHelloIsTakenOverAsItWasHandedOver(t *testing.T) {
	standardOutput(t)
	want := append([]string{"2"}, fields("alice")...)
	testroot.Must(t, HandOver(want))
	flags, err := unix.FcntlInt(handedOver, unix.F_GETFD, 0)
	testroot.Must(t, err)
	if flags&unix.FD_CLOEXEC != 0 {
		t.Error("the next program does not inherit the hello")
	}
	got, err := TakeOver()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestHelloTooLargeForASocketIsNotHandedOver(t *testing.T) {
	standardOutput(t)
	if err := HandOver([]string{strings.Repeat("x", 1<<24)}); !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("got error %v, want EMSGSIZE", err)
	}
}

func TestNothingIsTakenOverFromAnythingButThatSocket(t *testing.T) {
	for name, kind := range map[string]int{"stream": unix.SOCK_STREAM, "file": 0} {
		t.Run(name, func(t *testing.T) {
			standardOutput(t)
			other, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
			if kind != 0 {
				other, err = unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
			}
			testroot.Must(t, err)
			testroot.Must(t, unix.Dup3(other, handedOver, 0))
			if _, err := TakeOver(); err == nil || err.Error() != "no login was handed over" {
				t.Errorf("got error %v, want that no login was handed over", err)
			}
		})
	}
}
