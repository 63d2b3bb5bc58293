package main

import (
	"net"
	"path/filepath"
)

// serve listens on DIR/agent.sock. The first connection is the harness's lifeline: when it closes,
// serve returns. Every other connection is one command.
func serve(dir string) error {
	if err := collect(filepath.Join(dir, "log")); err != nil {
		return err
	}
	l, err := net.Listen("unix", filepath.Join(dir, "agent.sock"))
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
