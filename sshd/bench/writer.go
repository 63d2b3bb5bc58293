package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/sshd/suite"
	"latchkey/sshd/suite/app"
)

// writer enrolls users without enroll, which flushes each of them to the disk: a million would take
// an hour. What it writes is what enroll writes, sealed with the host's key.
type writer struct {
	host  *suite.Host
	codec record.Codec
}

// newWriter has a first user enrolled by enroll, which makes the host's key.
func newWriter(h *suite.Host, first *suite.User) (*writer, error) {
	if err := first.Enroll(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(h.Path("/var/lib/latchkey/key"))
	if err != nil {
		return nil, err
	}
	// pam/record/FORMAT.md: a word, and in base64 32 bytes and their checksum.
	_, encoded, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(secret) < 32 {
		return nil, errors.New("the host's key is not as FORMAT.md says")
	}
	w := &writer{host: h}
	if w.codec, err = record.NewCodec(secret[:32]); err != nil {
		return nil, err
	}
	return w, os.MkdirAll(filepath.Dir(h.Path(oathFile)), 0o700)
}

// writers is how many users are written at the same time.
const writers = 4

// latchkey writes records and states.
func (w *writer) latchkey(all []*suite.User) error {
	errs := make([]error, writers)
	var running sync.WaitGroup
	for n := range writers {
		running.Go(func() {
			for i := n; i < len(all) && errs[n] == nil; i += writers {
				errs[n] = w.one(all[i])
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

func (w *writer) one(u *suite.User) error {
	file, st, err := w.files(u)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(w.host.Path("/var/lib/latchkey/users/"+u.Name), st, 0o600),
		os.WriteFile(w.host.Path("/etc/latchkey/users/"+u.Name), file, 0o600))
}

// files are a user's record and state.
func (w *writer) files(u *suite.User) (file, st []byte, err error) {
	secret, err := app.Bytes(u.Secret)
	if err != nil {
		return nil, nil, err
	}
	d := record.Device{Type: method.TOTP, Label: "phone", Secret: secret,
		Created: time.Now().Truncate(time.Second), Algorithm: "SHA1", Digits: 6,
		Period: app.Step}
	r := &record.Record{Name: u.Name, UID: uint32(u.UID)}
	_, _ = rand.Read(d.ID[:])
	_, _ = rand.Read(r.Enrollment[:])
	r.Devices = []record.Device{d}
	if file, err = w.codec.Encode(r); err != nil {
		return nil, nil, err
	}
	packed, err := state.Encode(state.State{UID: r.UID, Enrollment: r.Enrollment,
		Devices: []state.Device{{ID: d.ID}}})
	slot := unpack(packed)
	return file, append(slot, slot...), err
}

// slotSize is that of half a state (pam/state/FORMAT.md).
const slotSize = 4096

// unpack returns a slot as a file has it: in a packed one a zero and a number stand for as many
// zeros.
func unpack(packed []byte) []byte {
	slot, at := make([]byte, slotSize, 2*slotSize), 0
	for i := 0; i < len(packed); i++ {
		if packed[i] == 0 {
			i++
			at += int(packed[i])
			continue
		}
		slot[at] = packed[i]
		at++
	}
	return slot
}

// google writes secrets as google-authenticator(1) does by default.
func (w *writer) google(all []*suite.User) error {
	for _, u := range all {
		path := w.host.Path("/home/" + u.Name + "/.google_authenticator")
		text := u.Secret + "\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n"
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			return err
		}
		if err := os.Chown(path, u.UID, u.UID); err != nil {
			return err
		}
	}
	return nil
}

// oath appends users to pam_oath's file.
func (w *writer) oath(all []*suite.User) error {
	var b strings.Builder
	for _, u := range all {
		secret, err := app.Bytes(u.Secret)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "HOTP/T30/6\t%s\t-\t%s\n", u.Name, hex.EncodeToString(secret))
	}
	f, err := os.OpenFile(w.host.Path(oathFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(b.String())
	return errors.Join(err, f.Close())
}
