package session

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// handedOver is the descriptor on which a program that continues a login finds the gate's hello.
// Everyone can read a program's arguments, so they are no place for a user's name, address and
// key.
const handedOver = 1

// HandOver prepares the gate's hello for the program that this process is about to become.
func HandOver(hello []string) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	frame := "H" + strings.Join(hello, "\x00") + "\x00"
	flags := unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT
	if err := unix.Sendto(pair[0], []byte(frame), flags, nil); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	return unix.Dup3(pair[1], handedOver, 0)
}

// TakeOver returns the hello of a login that another program began. The error is for people who
// start this program themselves.
func TakeOver() ([]string, error) {
	kind, err := unix.GetsockoptInt(handedOver, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_SEQPACKET {
		return nil, errors.New("no login was handed over")
	}
	return newWire(handedOver).hello()
}
