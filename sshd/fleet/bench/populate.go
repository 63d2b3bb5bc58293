package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"latchkey/sshd/fleet"
	"latchkey/sshd/suite"
)

// populate gives n users an account each, and prints what that costs etcd and the services.
func populate(f *fleet.Fleet, n int, out io.Writer) error {
	before, err := weigh(f)
	if err != nil {
		return err
	}
	const batch = 10000
	began := time.Now()
	for from := 0; from < n; from += batch {
		users := make([]*suite.User, min(batch, n-from))
		for i := range users {
			users[i] = &suite.User{Name: fmt.Sprintf("settler%d", from+i)}
		}
		if err := f.Seed(users...); err != nil {
			return err
		}
	}
	after, err := weigh(f)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d users, seeded in %v\nwithout them: %v\nwith them:    %v\n", n,
		time.Since(began).Round(time.Second), before, after)
	return nil
}

// weight is what a fleet takes, in MiB: the database, and the memory of each process.
type weight struct {
	database      int64
	etcd, service []int64
	most          []int64 // that a service ever took
}

func (w weight) String() string {
	return fmt.Sprintf("etcd has %d MiB on disk; in memory, in MiB: etcd %d, services %d",
		w.database, w.etcd, w.service)
}

func weigh(f *fleet.Fleet) (w weight, err error) {
	size, err := f.Size(context.Background())
	w.database = size >> 20
	programs, _ := os.ReadDir("/proc")
	for _, p := range programs {
		name, _ := os.ReadFile("/proc/" + p.Name() + "/comm")
		switch strings.TrimSpace(string(name)) {
		case "etcd":
			w.etcd = append(w.etcd, memory(p.Name(), "VmRSS"))
		case "latchkey-fleetd":
			w.service = append(w.service, memory(p.Name(), "VmRSS"))
			w.most = append(w.most, memory(p.Name(), "VmHWM"))
		}
	}
	return w, err
}

// memory is what a process has in memory, in MiB: a field of proc_pid_status(5), VmRSS for now or
// VmHWM for the most it ever had.
func memory(pid, field string) int64 {
	text, _ := os.ReadFile("/proc/" + pid + "/status")
	_, rest, _ := strings.Cut(string(text), field+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	return kib >> 10
}
