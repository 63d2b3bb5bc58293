package backup

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"filippo.io/age"
)

// Write seals b to the recipients. The error may match ErrUserChanged or ErrKeyChanged.
func (b *Taken) Write(w io.Writer, to ...age.Recipient) error {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return err
	}
	if err := b.archive(sealed); err != nil {
		return err
	}
	return sealed.Close()
}

func (b *Taken) archive(w io.Writer) error {
	t := archiver{Writer: tar.NewWriter(w), b: b}
	b.Manifest.Format, b.Manifest.Users, b.Manifest.Files = format, len(b.names), len(b.Files)
	manifest, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err != nil {
		return err
	}
	t.add("manifest.json", manifest)
	t.add("key", b.Key)
	for _, f := range b.Files {
		t.add("files/"+f.Name, f.Text)
	}
	err = b.users(b.names, "users written", func(u User, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w: %v", u.Name, ErrUserChanged, err)
		}
		t.add("users/"+u.Name+"/record", u.Record)
		t.add("users/"+u.Name+"/state", u.State)
		return t.err
	})
	if err != nil {
		return err
	}
	if now, err := b.host.key(); len(b.names) > 0 && (err != nil || !bytes.Equal(now, b.Key)) {
		return ErrKeyChanged
	}
	return t.Close()
}

// archiver writes entries until one fails.
type archiver struct {
	*tar.Writer
	b   *Taken
	err error
}

func (t *archiver) add(name string, text []byte) {
	if t.err != nil {
		return
	}
	t.err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)),
		Mode: 0o600, ModTime: t.b.Created})
	if t.err == nil {
		_, t.err = t.Write(text)
	}
}
