package record

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pelletier/go-toml/v2"

	"latchkey/pam/method"
	"latchkey/pam/state"
)

const (
	version     = 1
	versionLine = "version = 1\n"
	sizeLimit   = 64 << 10
)

var errMAC = errors.New("changed or damaged since enroll wrote it, or made with another host key")

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
	Secret    string        `toml:"secret"`
}

// encode returns r as the bytes of a file.
func (k *key) encode(r *Record) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	doc := document{
		Version:    version,
		Name:       r.Name,
		UID:        r.UID,
		Enrollment: hex.EncodeToString(r.Enrollment[:]),
	}
	for _, d := range r.Devices {
		doc.Devices = append(doc.Devices, device{
			ID: hex.EncodeToString(d.ID[:]), Type: d.Type, Label: d.Label,
			Created:   d.Created.UTC().Truncate(time.Second),
			Algorithm: d.Algorithm, Digits: d.Digits, Period: int(d.Period / time.Second),
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
	if got, ok := bytes.CutPrefix(body, []byte("version = ")); ok &&
		!bytes.HasPrefix(body, []byte(versionLine)) {
		n, _, _ := bytes.Cut(got, []byte("\n"))
		if _, err := strconv.ParseUint(string(n), 10, 16); err == nil {
			return nil, fmt.Errorf("%w (version %s)", ErrNewer, n)
		}
	}
	if !hmac.Equal([]byte(string(line)+"\n"), []byte(k.macLine(body))) {
		return nil, errMAC
	}
	doc, err := readDocument(body)
	if err != nil {
		return nil, fmt.Errorf("not a record: %w", err)
	}
	if doc.Version != version {
		return nil, ErrNewer
	}
	return k.open(doc)
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
