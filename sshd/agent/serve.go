package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// serve listens on DIR/agent.sock. The first connection is the harness's lifeline: when it closes,
// serve returns. Every other connection is one command.
func serve(dir string) error {
	if err := collect(filepath.Join(dir, "log")); err != nil {
		return err
	}
	socket := filepath.Join(dir, "agent.sock")
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // of an agent that was killed
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	lifeline, err := l.Accept()
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go execute(conn)
		}
	}()
	_, _ = lifeline.Read(make([]byte, 1))
	return nil
}
