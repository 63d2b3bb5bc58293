package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// await waits for a child to end, and kills it with its process group when its time is over. Until
// endAll takes its status, no other process can have its number.
func await(pid int, limit time.Duration) (status unix.WaitStatus, late bool) {
	killed := make(chan struct{})
	timer := time.AfterFunc(limit, func() {
		kill(pid)
		close(killed)
	})
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	if late = !timer.Stop(); late {
		<-killed
	}
	for {
		if _, err := unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			return status, late
		}
	}
}

// kill kills a process and its group. A process in the group cannot escape by forking meanwhile.
func kill(pid int) {
	if group, err := unix.Getpgid(pid); err == nil && group != unix.Getpgrp() {
		unix.Kill(-group, unix.SIGKILL)
	}
	unix.Kill(pid, unix.SIGKILL)
}

// endAll ends all processes that a program has left running. This process is the parent of all of
// them, however often they forked: when a parent ends, its children become this process's.
func endAll() {
	for {
		for _, pid := range children() {
			kill(pid)
		}
		if _, err := unix.Wait4(-1, nil, 0, nil); err == unix.ECHILD {
			return
		}
		for { // all that have ended, before the next look at all processes
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 && err != unix.EINTR {
				break
			}
		}
	}
}

// children returns the processes whose parent is this one, according to proc_pid_stat(5).
func children() (pids []int) {
	parent := fmt.Sprint(os.Getpid())
	all, _ := os.ReadDir("/proc")
	for _, entry := range all {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, _ := os.ReadFile("/proc/" + entry.Name() + "/stat")
		after := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(after) > 1 && string(after[1]) == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}
