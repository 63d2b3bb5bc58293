package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/sshd/bench/figures"
	"latchkey/sshd/suite"
	"latchkey/sshd/suite/app"
)

// perUser is how many bytes of a disk with blocks of 4 KiB a member of the crowd takes: a record,
// a state of two blocks, a home folder, and a little for their names.
const perUser = 17 << 10

// tooLong is when a stack is no longer measured: a login by it takes so long.
const tooLong = 5 * time.Second

// crowd is who else is enrolled. They have no line in /etc/passwd, where a crowd would slow down
// sshd itself, and no one of them logs in: they come from a directory that is not asked.
type crowd struct {
	*bench
	size   int
	stacks []figures.Stack // that are still measured
	notes  map[figures.Stack]string
}

// crowds measures logins with 10, 100, 1,000 … users enrolled.
func (b *bench) crowds(most, rounds int) (err error) {
	c := &crowd{bench: b, stacks: figures.Stacks(), notes: map[figures.Stack]string{}}
	defer func() { err = errors.Join(err, c.disperse()) }()
	for n := 10; n <= most; n *= 10 {
		room, err := c.room(n)
		if err != nil || !room {
			return err
		}
		if err := c.grow(n); err != nil {
			return err
		}
		if err := c.measure(rounds); err != nil {
			return err
		}
	}
	return nil
}

// room reports whether there is disk for n users, with a quarter to spare, and notes if there is
// not.
func (c *crowd) room(n int) (bool, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(c.inside("/var/lib/latchkey/users"), &fs); err != nil {
		return false, err
	}
	wanted, free := (n-c.size)*perUser/4*5, int(fs.Bavail)*int(fs.Bsize)
	if free >= wanted {
		return true, nil
	}
	f := c.result.Add(figures.Crowd, c.name, n)
	f.Notes[figures.Latchkey] = fmt.Sprintf("not measured, as for every stack: %d GiB of disk are "+
		"needed, and %d are free", wanted>>30+1, free>>30)
	fmt.Fprintln(c.progress, "bench:", f.Label(), f.Notes[figures.Latchkey])
	return false, nil
}

// grow enrolls more users, some thousands at a time.
func (c *crowd) grow(n int) error {
	for c.size < n {
		fmt.Fprintf(c.progress, "bench: %s: %s of %s users\n", c.name, figures.Thousands(c.size),
			figures.Thousands(n))
		batch := make([]*suite.User, min(n-c.size, 100_000))
		for i := range batch {
			id := c.size + i
			batch[i] = &suite.User{Name: fmt.Sprintf("crowd%07d", id), UID: 1_000_000 + id,
				Secret: app.NewSecret()}
		}
		if err := c.enroll(batch); err != nil {
			return err
		}
		c.size += len(batch)
	}
	unix.Sync()
	return nil
}

// enroll writes records and states, lines for pam_oath, and home folders: what a login by
// google-authenticator has to find its way through. The folders are empty, since no login looks
// into another user's.
func (c *crowd) enroll(batch []*suite.User) error {
	errs := make([]error, 3)
	var running sync.WaitGroup
	running.Go(func() { errs[0] = c.users.writer.latchkey(batch) })
	running.Go(func() { errs[1] = c.users.writer.oath(batch) })
	for _, u := range batch {
		if err := os.Mkdir(c.inside("/home", u.Name), 0o700); err != nil {
			errs[2] = err
			break
		}
	}
	running.Wait()
	return errors.Join(errs...)
}

func (c *crowd) measure(rounds int) error {
	f := c.result.Add(figures.Crowd, c.name, c.size)
	for round := range rounds + 1 {
		outcomes, err := c.round(c.stacks)
		if err != nil {
			return err
		}
		for s, o := range outcomes {
			if o.Whole > tooLong {
				c.drop(f, s, o.Whole)
			} else if round > 0 {
				f.Values[s] = append(f.Values[s], ms(o.Whole))
			}
		}
		c.say(figures.Thousands(c.size)+" users", round, rounds)
	}
	return nil
}

// drop measures a stack no more.
func (c *crowd) drop(f *figures.Figure, s figures.Stack, took time.Duration) {
	f.Notes[s] = fmt.Sprintf("not measured further, since one login took %.1f s", took.Seconds())
	fmt.Fprintf(c.progress, "bench: %s: %s\n", s, f.Notes[s])
	delete(f.Values, s)
	c.stacks = slices.DeleteFunc(slices.Clone(c.stacks),
		func(other figures.Stack) bool { return other == s })
}

// disperse removes the crowd from where the end of the container would not, or only slowly.
func (c *crowd) disperse() error {
	fmt.Fprintf(c.progress, "bench: removing %s users\n", figures.Thousands(c.size))
	dirs := []string{"/etc/latchkey/users", "/var/lib/latchkey/users", "/home"}
	errs := make([]error, len(dirs))
	var running sync.WaitGroup
	for i, dir := range dirs {
		running.Go(func() {
			_, errs[i] = c.host.Exec("", "/usr/bin/find", dir, "-mindepth", "1", "-delete")
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
