// Agent is the first process of a suite container. It runs commands for the harness over a unix
// socket, collects what is sent to /dev/log, and ends, taking the container with it, as soon as
// the harness is gone.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:])) }

// run is `agent DIR` as process 1, which only reaps, and `agent serve DIR` as its child, which
// does everything else.
func run(args []string) int {
	switch {
	case len(args) == 1:
		return supervise(args[0])
	case len(args) == 2 && args[0] == "serve":
		return report(serve(args[1]))
	}
	return report(fmt.Errorf("usage: agent DIR"))
}

func report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "agent:", err)
	return 1
}

// supervise starts the serving child and reaps everything until that child ends. Reaping and
// os/exec do not go together in one process, so the child is a process of its own.
func supervise(dir string) int {
	child := exec.Command("/proc/self/exe", "serve", dir)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return report(err)
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid == child.Process.Pid {
			return status.ExitStatus()
		}
	}
}
