package main

import (
	"bytes"
	"net"
	"os"
)

// collect appends every datagram sent to /dev/log to the file, one per line. A newline inside a
// datagram is shown as ␤, so that a test notices one that was smuggled in.
func collect(path string) error {
	sink, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		return err
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := sink.Read(buf)
			if err != nil {
				return
			}
			line := bytes.TrimRight(buf[:n], "\x00\n")
			line = bytes.ReplaceAll(line, []byte("\n"), []byte("␤"))
			_, _ = file.Write(append(line, '\n'))
		}
	}()
	return nil
}
