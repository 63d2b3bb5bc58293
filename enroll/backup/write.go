package backup

import (
	"archive/tar"
	"encoding/json"
	"io"

	"filippo.io/age"
)

// Write seals b to the recipients.
func (b *Backup) Write(w io.Writer, to ...age.Recipient) error {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return err
	}
	if err := b.archive(sealed); err != nil {
		return err
	}
	return sealed.Close()
}

func (b *Backup) archive(w io.Writer) error {
	t := archiver{Writer: tar.NewWriter(w), b: b}
	b.Manifest.Format, b.Manifest.Users, b.Manifest.Files = format, len(b.Users), len(b.Files)
	manifest, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err != nil {
		return err
	}
	t.add("manifest.json", manifest)
	t.add("key", b.Key)
	for _, f := range b.Files {
		t.add("files/"+f.Name, f.Text)
	}
	for _, u := range b.Users {
		t.add("users/"+u.Name+"/record", u.Record)
		t.add("users/"+u.Name+"/state", u.State)
	}
	if t.err != nil {
		return t.err
	}
	return t.Close()
}

// archiver writes entries until one fails.
type archiver struct {
	*tar.Writer
	b   *Backup
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
