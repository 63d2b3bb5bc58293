package audit_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/audit"
	"latchkey/pam/testroot"
)

// logger makes a socket like that of the system's logger. Its path is short enough for a socket
// address.
func logger(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "log")
	testroot.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "log")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	testroot.Must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn, path
}

func TestALineReachesTheLoggerWithItsPriority(t *testing.T) {
	conn, path := logger(t)
	for priority, want := range map[int]string{
		audit.Notice:  "<85>latchkey: text", // AUTHPRIV (10) and 5
		audit.Warning: "<84>latchkey: text",
		audit.Debug:   "<87>latchkey: text",
	} {
		audit.Syslog{Path: path}.Send(priority, "latchkey: text")
		buf := make([]byte, 1000)
		n, err := conn.Read(buf)
		if string(buf[:n]) != want || err != nil {
			t.Errorf("received %q, %v", buf[:n], err)
		}
	}
}

// Both calls return; that is the test.

func TestSendWithoutALoggerDoesNothing(t *testing.T) {
	_, path := logger(t)
	audit.Syslog{Path: path + "-missing"}.Send(audit.Notice, "text")
	audit.Syslog{Path: filepath.Dir(path)}.Send(audit.Notice, "text")
	audit.Syslog{Path: filepath.Join(path, "x")}.Send(audit.Notice, "text")
	audit.Syslog{}.Send(audit.Notice, "text")
	audit.Syslog{Path: string(make([]byte, 1000))}.Send(audit.Notice, "text")
}

func TestHangingLoggerDelaysALoginOnlyBriefly(t *testing.T) {
	_, path := logger(t) // the logger never reads
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	testroot.Must(t, err)
	defer conn.Close()
	raw, err := conn.SyscallConn()
	testroot.Must(t, err)
	full := false
	testroot.Must(t, raw.Write(func(fd uintptr) bool {
		full = fill(int(fd))
		return true
	}))
	if !full {
		t.Fatal("the logger's queue takes everything")
	}
	audit.Syslog{Path: path}.Send(audit.Notice, "text")
}

// fill sends until the receiver's queue is full.
func fill(fd int) bool {
	for range 100000 {
		if err := unix.Send(fd, []byte("x"), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err != nil {
			return err == unix.EAGAIN
		}
	}
	return false
}
