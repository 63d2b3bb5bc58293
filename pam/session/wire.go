package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/pam/flow"
)

// The wire format is pam/gate/WIRE.md.
const (
	wireVersion = "2"
	maxFrame    = 32768
)

// wire is the socket to the gate: one frame per packet, and each side strictly in turn.
type wire struct {
	fd   int
	buf  []byte
	gone bool // the gate closed its end: the host is gone
}

func newWire(fd int) *wire { return &wire{fd: fd, buf: make([]byte, maxFrame+1)} }

// receive returns the type and the payload of the next frame. The error is io.EOF if the host is
// gone.
func (w *wire) receive() (kind byte, payload []byte, err error) {
	n, flags := 0, 0
	for {
		n, _, flags, _, err = unix.Recvmsg(w.fd, w.buf, nil, 0)
		if err != unix.EINTR {
			break
		}
	}
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("receive from the gate: %w", err)
	case n == 0:
		w.gone = true
		return 0, nil, io.EOF
	case n > maxFrame || flags&unix.MSG_TRUNC != 0:
		return 0, nil, errors.New("the gate sent a frame that is too long")
	}
	return w.buf[0], bytes.Clone(w.buf[1:n]), nil
}

func (w *wire) send(kind byte, payload string) error {
	frame := append([]byte{kind}, strings.ReplaceAll(payload, "\x00", "")...)
	return unix.Sendto(w.fd, frame, unix.MSG_NOSIGNAL, nil)
}

// exchange sends a frame and returns the frame that answers it.
func (w *wire) exchange(kind byte, payload string) (byte, string, error) {
	if w.gone {
		return 0, "", flow.ErrConversation
	}
	if err := w.send(kind, payload); err != nil {
		return 0, "", fmt.Errorf("%w: %v", flow.ErrConversation, err)
	}
	kind, answer, err := w.receive()
	if err == io.EOF {
		err = flow.ErrConversation
	}
	return kind, string(answer), err
}

// call sends a frame to the user and returns the user's answer.
func (w *wire) call(kind byte, payload string) (string, error) {
	kind, answer, err := w.exchange(kind, payload)
	switch {
	case err != nil:
		return "", err
	case kind == 'A':
		return answer, nil
	case kind == 'C':
		return "", flow.ErrConversation
	case kind == 'P':
		return "", flow.ErrPassword
	}
	return "", fmt.Errorf("the gate sent a frame of type %q", kind)
}

// hostGone reports, without waiting, whether the gate has closed its end.
func (w *wire) hostGone() bool {
	poll := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(poll, 0)
	w.gone = w.gone ||
		err == nil && n > 0 && poll[0].Revents&(unix.POLLHUP|unix.POLLRDHUP|unix.POLLERR) != 0
	return w.gone
}
