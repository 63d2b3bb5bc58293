package backup

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// entryOf is an entry of an archive.
type entryOf struct {
	name, text string
	kind       byte
}

// whole is the archive of a backup with one file and two users.
func whole() []entryOf {
	return []entryOf{
		{"manifest.json", `{"format": 1, "users": 2, "files": 1}`, tar.TypeReg},
		{"key", "key", tar.TypeReg}, {"files/latchkey.toml", "", tar.TypeReg},
		{"users/alice/record", "a", tar.TypeReg}, {"users/alice/state", "a", tar.TypeReg},
		{"users/bob/record", "b", tar.TypeReg}, {"users/bob/state", "b", tar.TypeReg},
	}
}

func archived(t *testing.T, entries []entryOf) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o600}
		if e.kind == tar.TypeReg {
			h.Size = int64(len(e.text))
		} else {
			h.Linkname = "/etc/shadow"
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.text[:h.Size])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// sealed is what age makes of an archive, and the identity that opens it.
func sealed(t *testing.T, archive []byte) (*bytes.Buffer, age.Identity) {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, i.Recipient())
	if err == nil {
		_, err = w.Write(archive)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &b, i
}

// anyone is whom a backup may have.
func anyone(*Backup, []User) error { return nil }

func TestAWholeBackupIsReadAsItWasWritten(t *testing.T) {
	file, i := sealed(t, archived(t, whole()).Bytes())
	var users []User
	b, err := read(file, func(_ *Backup, some []User) error {
		users = append(users, some...)
		return nil
	}, i)
	if err != nil || len(users) != 2 || string(users[1].State) != "b" || len(b.Files) != 1 {
		t.Errorf("got %+v, %v, %v", b, users, err)
	}
}

func TestABackupThatIsNotOfItsFormIsRefused(t *testing.T) {
	named := func(n int, name string) []entryOf {
		all := whole()
		all[n].name = name
		return all
	}
	manifest := func(text string) []entryOf {
		all := whole()
		all[0].text = text
		return all
	}
	link := whole()
	link[2] = entryOf{"files/latchkey.toml", "", tar.TypeSymlink}
	long := whole()
	long[3].text = strings.Repeat("x", maxText+1)
	for name, entries := range map[string][]entryOf{
		"without a manifest":             whole()[1:],
		"of another format":              manifest(`{"format": 2, "users": 2, "files": 1}`),
		"with more users than it says":   manifest(`{"format": 1, "users": 1, "files": 1}`),
		"with fewer users than it says":  manifest(`{"format": 1, "users": 3, "files": 1}`),
		"with fewer users than none":     manifest(`{"format": 1, "users": -1, "files": 1}`),
		"with a manifest that is no":     manifest(`{`),
		"with a file elsewhere":          named(2, "files/../passwd"),
		"with a file of another program": named(2, "files/sshd_config"),
		"with a file of a fleet":         named(2, "files/fleet.toml"),
		"with a record as a file":        named(2, "files/users/alice"),
		"with an absolute name":          named(2, "/etc/passwd"),
		"with a hidden certificate":      named(2, "files/attestation.d/.x"),
		"with a link":                    link,
		"with a user of no name":         named(3, "users//record"),
		"with a user above":              named(3, "users/../record"),
		"with a user below":              named(3, "users/a/b/record"),
		"with a user's option":           named(3, "users/-x/record"),
		"with another's state":           named(4, "users/bob/state"),
		"with users out of order":        named(5, "users/aaron/record"),
		"with a user twice":              named(5, "users/alice/record"),
		"with a long record":             long,
		"with no key":                    append(whole()[:1], whole()[2:]...),
	} {
		file, i := sealed(t, archived(t, entries).Bytes())
		if b, err := read(file, anyone, i); !errors.Is(err, ErrNotWhole) {
			t.Errorf("%s: got %+v, %v; want ErrNotWhole", name, b, err)
		}
	}
}

func TestSomethingBehindTheArchiveIsRefused(t *testing.T) {
	text := archived(t, whole()).Bytes()
	for name, c := range map[string]struct {
		more []byte
		ok   bool
	}{
		"zeros": {make([]byte, 10000), true}, "text": {append(make([]byte, 9999), 'x'), false},
	} {
		file, i := sealed(t, append(bytes.Clone(text), c.more...))
		if _, err := read(file, anyone, i); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want that it is read: %v", name, err, c.ok)
		}
	}
}

func TestAFileThatWasChangedSinceItWasCheckedRestoresNoOne(t *testing.T) {
	file, i := sealed(t, archived(t, whole()).Bytes())
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	users := func() []fingerprint {
		return []fingerprint{fingerprintOf(User{"alice", []byte("a"), []byte("a")}),
			fingerprintOf(User{"bob", []byte("b"), []byte("b")})}
	}
	for name, change := range map[string]func(s *Source){
		"another record": func(s *Source) { s.users[1].sum[0] ^= 1 },
		"another name":   func(s *Source) { s.users[0].name = "alicia" },
		"one user more":  func(s *Source) { s.users = s.users[:1] },
	} {
		s := Source{file: f, with: i, users: users()}
		change(&s)
		err := s.again("", func(some []*saved) error {
			t.Errorf("%s: got %d users, want none", name, len(some))
			return nil
		})
		if err != errChanged {
			t.Errorf("%s: got %v, want that it was changed meanwhile", name, err)
		}
	}
}
