package gate

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socketpair returns the gate's end and the test's.
func socketpair(t testing.TB) (gate, login int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return pair[0], pair[1]
}

// queue sends frames until the socket takes no more, and returns those it took.
func queue(t testing.TB, sock int, frames []string) []string {
	t.Helper()
	for i, frame := range frames {
		err := unix.Sendto(sock, []byte(frame), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOBUFS) {
			return frames[:i]
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

// answers returns what the gate sent, all of which has arrived by now.
func answers(t testing.TB, sock int) []string {
	t.Helper()
	var all []string
	buffer := make([]byte, 40000)
	for {
		n, _, err := unix.Recvfrom(sock, buffer, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) || err == nil && n == 0 {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(buffer[:n]))
	}
}

// talk queues frames, then has the gate relay them.
func talk(t testing.TB, a attempt, frames ...string) (o outcome, sent, answered []string) {
	t.Helper()
	gate, login := socketpair(t)
	defer unix.Close(gate)
	defer unix.Close(login)
	sent = queue(t, login, frames)
	if err := unix.Shutdown(login, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	o = a.relay(gate)
	return o, sent, answers(t, login)
}

func TestTypingDoesNotCountAgainstTheDeadline(t *testing.T) {
	a := newAttempt(t)
	a.deadline, a.pause = 2*time.Second, 3*time.Second
	o, _, answered := talk(t, a, "Qcode", "V2 allow")
	if o.code != pamSuccess || !slices.Equal(answered, []string{"A123456"}) {
		t.Errorf("code %d, detail %q, answers %q", o.code, o.detail, answered)
	}
}

func TestVerdictAfterTheDeadlineIsADenial(t *testing.T) {
	for _, deadline := range []time.Duration{0, -time.Hour} {
		a := newAttempt(t)
		a.deadline = deadline
		o, _, _ := talk(t, a, "V2 allow")
		if o.code != pamSystemErr || !strings.Contains(o.detail, "no verdict within") {
			t.Errorf("code %d, detail %q", o.code, o.detail)
		}
	}
}

// The kernel reports the unread answer first, as a reset.
func TestLastFrameIsReadEvenIfAnAnswerWasNotRead(t *testing.T) {
	gate, login := socketpair(t)
	defer unix.Close(gate)
	if err := unix.Sendto(gate, []byte("H2\x00"), 0, nil); err != nil {
		t.Fatal(err)
	}
	queue(t, login, []string{"V2 deny 6"})
	unix.Close(login)
	if o := newAttempt(t).relay(gate); o.code != 6 {
		t.Errorf("code %d, detail %q", o.code, o.detail)
	}
}

func TestFrameAfterTheVerdictIsSeenEvenIfAnAnswerWasNotRead(t *testing.T) {
	script := []string{send("Qcode"), send("V2 allow"), send("V2 allow")}
	wantDenied(t, newAttempt(t, script...).at(t).authenticate(), following)
}

// expect repeats WIRE.md in Go: the code for these frames followed by an end of file, and the
// types of the answers.
func expect(frames []string) (code int, types string) {
	verdicts := map[string]int{"V2 allow": 0, "V2 deny 4": 4, "V2 deny 6": 6, "V2 deny 7": 7,
		"V2 deny 9": 9, "V2 deny 10": 10,
		"V2 deny 11": 11, "V2 deny 19": 19}
	for i, frame := range frames {
		if frame == "" || len(frame) > 32768 {
			break
		}
		if code, ok := verdicts[frame]; ok && (i == len(frames)-1 || frames[i+1] == "") {
			return code, types
		}
		answer, ok := map[byte]string{'Q': "A", 'E': "A", 'L': "A", 'G': "C"}[frame[0]]
		if !ok || strings.Contains(frame, "\x00") {
			break
		}
		types += answer
	}
	return pamSystemErr, types
}

// cut takes frames out of data: two bytes of length, then as many bytes; 0xffff stands for a frame
// too long by one.
func cut(data []byte) []string {
	var frames []string
	for len(data) >= 2 && len(frames) < 64 {
		n := int(binary.BigEndian.Uint16(data))
		data = data[2:]
		if n == 0xffff {
			frames = append(frames, "Q"+strings.Repeat("x", 32768))
			continue
		}
		n = min(n, len(data))
		frames, data = append(frames, string(data[:n])), data[n:]
	}
	return frames
}

func join(frames ...string) []byte {
	var data []byte
	for _, frame := range frames {
		data = binary.BigEndian.AppendUint16(data, uint16(len(frame)))
		data = append(data, frame...)
	}
	return data
}

// FuzzRelay sends arbitrary frames to the gate. Success is one exact verdict after well-formed
// frames with nothing behind it. Everything else is a denial with a reason, every question has one
// answer, and nothing hangs.
func FuzzRelay(f *testing.F) {
	for _, frames := range [][]string{
		{"V2 allow"}, {"V2 deny 7"}, {"V1 allow"}, {"V2 allow\x00"}, {"V2 deny 25"},
		{"Qcode", "V2 allow"}, {"Qcode", "Etext", "V2 deny 11"}, {"Scode", "V2 allow"},
		{"Itext", "V2 allow"},
		{"Gwheel", "G@team", "V2 allow"}, {"V2 allow", "V2 allow"}, {"V2 allow", ""}, {""},
		{"Xe\x02"}, {"Qa\x00b", "V2 allow"}, {"H2\x00"}, {},
		{"Llater", "V2 allow"}, {"L", "V2 allow"},
		{"L" + strings.Repeat("x", 5000), "Qcode", "V2 allow"},
	} {
		f.Add(join(frames...))
	}
	f.Add(append([]byte{0xff, 0xff}, join("V2 allow")...))
	a := newAttempt(f)
	a.deadline = long
	f.Fuzz(func(t *testing.T, data []byte) {
		o, sent, answered := talk(t, a, cut(data)...)
		code, types := expect(sent)
		if o.code != code {
			t.Errorf("code %d, want %d (%q) for %q", o.code, code, o.detail, sent)
		}
		malformed := code == pamSystemErr && !slices.Contains(sent, "V2 deny 4")
		if malformed && o.detail == "" {
			t.Errorf("denied without a reason: %q", sent)
		}
		got := ""
		for _, answer := range answered {
			got += answer[:1]
			if len(answer) > 514 {
				t.Errorf("an answer of %d bytes", len(answer))
			}
		}
		if got != types {
			t.Errorf("answers %q, want %q for %q", got, types, sent)
		}
	})
}
