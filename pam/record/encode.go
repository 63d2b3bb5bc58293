package record

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pelletier/go-toml/v2"

	"latchkey/pam/method"
	"latchkey/pam/state"
)

// Versions of the format. Only a record with a security key has the second: a program that does
// not know security keys then refuses the record by its version, and can still read all others.
const (
	version1  = 1
	version2  = 2 // there may be security keys
	sizeLimit = 64 << 10
)

// version is the one that r is written in.
func (r *Record) version() int {
	if slices.ContainsFunc(r.Devices, func(d Device) bool { return d.Type == method.Key }) {
		return version2
	}
	return version1
}

// ErrMAC says that a record is not what was written with this host key.
var ErrMAC = errors.New("changed or damaged since enroll wrote it, or made with another host key")

// errVersion refuses what encode cannot have written.
var errVersion = errors.New("not a record: what is in it does not go with its version")

// document is a record as written in TOML, below the line with the MAC.
type document struct {
	Version    int       `toml:"version"`
	Name       string    `toml:"name"`
	UID        uint32    `toml:"uid"`
	Enrollment string    `toml:"enrollment"`
	Recovery   *recovery `toml:"recovery,omitempty"`
	Devices    []device  `toml:"device,omitempty"`
}

type recovery struct {
	ID     string   `toml:"id"`
	Salt   string   `toml:"salt,omitempty"`
	Codes  []string `toml:"codes,omitempty"`
	Sealed string   `toml:"sealed,omitempty"`
}

type device struct {
	ID        string        `toml:"id"`
	Type      method.Method `toml:"type"`
	Label     string        `toml:"label"`
	Created   time.Time     `toml:"created"`
	Algorithm string        `toml:"algorithm,omitempty"`
	Digits    int           `toml:"digits,omitempty"`
	Period    int           `toml:"period,omitempty"`
	Attested  bool          `toml:"attested,omitempty"`
	Secret    string        `toml:"secret"`
}

// encode returns r as the bytes of a file.
func (k *key) encode(r *Record) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	doc := document{
		Version:    r.version(),
		Name:       r.Name,
		UID:        r.UID,
		Enrollment: hex.EncodeToString(r.Enrollment[:]),
	}
	for _, d := range r.Devices {
		doc.Devices = append(doc.Devices, device{
			ID: hex.EncodeToString(d.ID[:]), Type: d.Type, Label: d.Label,
			Created:   d.Created.UTC().Truncate(time.Second),
			Algorithm: d.Algorithm, Digits: d.Digits, Period: int(d.Period / time.Second),
			Attested: d.Attested,
			Secret: base64.StdEncoding.EncodeToString(
				k.seal.Seal(nil, nil, d.Secret, r.binding(d.ID))),
		})
	}
	doc.Recovery = k.encodeRecovery(r)
	body, err := toml.Marshal(doc)
	if err != nil {
		return nil, err
	}
	file := append([]byte(k.macLine(body)), body...)
	if len(file) > sizeLimit {
		return nil, fmt.Errorf("a record has at most %d bytes", sizeLimit)
	}
	return file, nil
}

// decode reads a file. Apart from the version, nothing in it is interpreted before the MAC has
// been verified.
func (k *key) decode(file []byte) (*Record, error) {
	line, body, _ := bytes.Cut(file, []byte("\n"))
	if got, ok := bytes.CutPrefix(body, []byte("version = ")); ok {
		text, _, _ := bytes.Cut(got, []byte("\n"))
		n, err := strconv.ParseUint(string(text), 10, 16)
		if err == nil && n != version1 && n != version2 {
			return nil, fmt.Errorf("%w (version %s)", ErrNewer, text)
		}
	}
	if !k.signed(line, body) {
		if k.old != nil {
			return k.old.decode(file)
		}
		return nil, ErrMAC
	}
	doc, err := readDocument(body)
	if err != nil {
		return nil, fmt.Errorf("not a record: %w", err)
	}
	if doc.Version != version1 && doc.Version != version2 {
		return nil, ErrNewer
	}
	r, err := k.open(doc)
	if err == nil && doc.Version != r.version() {
		return nil, errVersion
	}
	return r, err
}

// open turns a document into a record: it opens the secrets and checks everything.
func (k *key) open(doc *document) (*Record, error) {
	r := &Record{Name: doc.Name, UID: doc.UID}
	if !unhex(r.Enrollment[:], doc.Enrollment) {
		return nil, errors.New("enrollment is not 32 hex digits")
	}
	for i, d := range doc.Devices {
		out := Device{
			Type:      d.Type,
			Label:     d.Label,
			Created:   d.Created,
			Algorithm: d.Algorithm,
			Digits:    d.Digits,
			Attested:  d.Attested,
		}
		if !unhex(out.ID[:], d.ID) {
			return nil, fmt.Errorf("device %d: id is out of range", i+1)
		}
		out.Period = time.Duration(d.Period) * time.Second
		sealed, err := base64.StdEncoding.DecodeString(d.Secret)
		if err != nil {
			return nil, fmt.Errorf("device %d: the secret is not base64", i+1)
		}
		if out.Secret, err = k.seal.Open(nil, nil, sealed, r.binding(out.ID)); err != nil {
			return nil, fmt.Errorf("device %d: the secret was sealed for another user, uid, "+
				"device or host key", i+1)
		}
		r.Devices = append(r.Devices, out)
	}
	if !k.decodeRecovery(r, doc.Recovery) {
		return nil, errors.New("the recovery codes are malformed")
	}
	return r, r.check()
}

// binding returns the associated data of a sealed secret: a secret moved to another user, uid or
// device does not open.
func (r *Record) binding(id state.DeviceID) []byte {
	return fmt.Appendf(nil, "latchkey-record-1\x00%s\x00%d\x00%x", r.Name, r.UID, id[:])
}

// signed reports whether line, the first of a file, is the MAC of the rest.
func (k *key) signed(line, body []byte) bool {
	return hmac.Equal([]byte(string(line)+"\n"), []byte(k.macLine(body)))
}

func (k *key) macLine(body []byte) string {
	return `mac = "` + base64.StdEncoding.EncodeToString(k.sum(body)) + "\"\n"
}

func unhex(into []byte, text string) bool {
	if len(text) != hex.EncodedLen(len(into)) {
		return false
	}
	_, err := hex.Decode(into, []byte(text))
	return err == nil
}
