// Package wire is what the harness and the agent inside a container say to each other: one JSON
// request and one JSON reply on each connection.
package wire

import "time"

// Request is a command to run as root inside the container. Env adds to a fixed environment.
type Request struct {
	Argv  []string
	Stdin []byte
	Env   []string
}

// Reply is how the command ended. Exit is -1 after a signal, 127 if it could not be started. CPU
// and Peak (bytes) cover the command and every descendant that was waited for.
type Reply struct {
	Exit           int
	Stdout, Stderr []byte
	CPU            time.Duration
	Peak           int64
}
