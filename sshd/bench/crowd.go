package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"latchkey/sshd/suite"
)

// few is the number of users enrolled in the host that is not crowded.
const few = 10

// crowds compares two hosts that differ only in the number of enrolled users.
func crowds(s *suite.Suite, rounds, records int, out io.Writer) (err error) {
	var sides []*contender
	var codes []*lone
	for _, n := range []int{few, records} {
		h, err := s.Private(suite.Debian12)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.Close()) }()
		if err := crowd(h, n); err != nil {
			return err
		}
		side, err := contend(h, suite.PasswordAndCode)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%d records", n)
		side[0].whole.name, side[0].afterCode.name = name, name
		sides = append(sides, side[0])
		l := &lone{service: "bench-latchkey", stack: suite.OnlyCode, cpu: sample{name: name}}
		if err := h.Service(l.service, l.stack); err != nil {
			return err
		}
		codes = append(codes, l)
	}
	for round := range rounds + 1 {
		for _, i := range rand.Perm(len(sides)) {
			side := sides[i]
			for _, use := range []func(*suite.User) error{
				func(u *suite.User) error { return side.login(u, round > 0) },
				func(u *suite.User) error {
					return codes[i].authenticate(side.server.Host, u, round > 0)
				},
			} {
				u, err := member(side.server.Host)
				if err == nil {
					err = use(u)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	table(out, "enrolled users: whole login", "ms", &sides[0].whole, &sides[1].whole)
	table(out, "enrolled users: from the typed code to success", "ms", &sides[0].afterCode,
		&sides[1].afterCode)
	table(out, "enrolled users: one authentication by pamtester, CPU", "ms", &codes[0].cpu,
		&codes[1].cpu)
	return nil
}

// crowdUID is the first uid of the crowd: each has one, as on a real host.
const crowdUID = 1_000_000

// withUID returns a record or a state (pam/state/FORMAT.md) with another uid.
func withUID(data []byte, old, uid int) []byte {
	line := func(uid int) []byte { return fmt.Appendf(nil, "\nuid = %d\n", uid) }
	data = bytes.Replace(data, line(old), line(uid), 1)
	for slot := range slices.Chunk(data, 4096) {
		if bytes.HasPrefix(slot, []byte("LATCHKEY")) {
			binary.BigEndian.PutUint32(slot[12:], uint32(uid))
			sum := sha256.Sum256(slot[:4064])
			copy(slot[4064:], sum[:])
		}
	}
	return data
}

// crowd puts n records and states beside a real user's. They are copies that are never opened;
// only their number may have a cost.
func crowd(h *suite.Host, n int) error {
	u, err := h.User()
	if err != nil {
		return err
	}
	if err := u.Enroll(); err != nil {
		return err
	}
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey/users"} {
		inside := h.Path(dir)
		data, err := os.ReadFile(filepath.Join(inside, u.Name))
		if err != nil {
			return err
		}
		for i := range n {
			path := filepath.Join(inside, fmt.Sprintf("crowd%06d", i))
			if err := os.WriteFile(path, withUID(data, u.UID, crowdUID+i), 0o600); err != nil {
				return err
			}
		}
	}
	_, err = h.Exec("", "/bin/sync")
	return err
}
