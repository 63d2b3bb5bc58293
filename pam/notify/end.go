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
// endAll takes its status no other process can have that number.
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

// kill kills a process and its group. What is in a group cannot escape by forking meanwhile.
func kill(pid int) {
	if group, err := unix.Getpgid(pid); err == nil && group != unix.Getpgrp() {
		unix.Kill(-group, unix.SIGKILL)
	}
	unix.Kill(pid, unix.SIGKILL)
}

// endAll ends what a program has left running. This process is the parent of all of it, however often
// it forked: those whose parent ends become its children.
func endAll() {
	for {
		for _, pid := range children() {
			kill(pid)
		}
		if _, err := unix.Wait4(-1, nil, 0, nil); err == unix.ECHILD {
			return
		}
	}
}

// children are the processes whose parent this one is, as proc_pid_stat(5) shows them.
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
