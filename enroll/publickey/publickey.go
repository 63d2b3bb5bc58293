// Package publickey reads the public key of a security key where a person has it: in a file, or in
// what sshd says of the login that the person sits at.
package publickey

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/enroll/hint"
	"latchkey/pam/sshkey"
)

// maxText is the longest text that is read, in bytes. A certificate by an RSA key has about 3000.
const maxText = 64 << 10

// makeOne is how a key on a security key is made.
const makeOne = "make one with: ssh-keygen -t ed25519-sk (older security keys: -t ecdsa-sk)"

// Read returns the one key in a text, as ssh-keygen writes it. name says in errors where it
// stands.
func Read(name string, r io.Reader) (sshkey.Key, error) {
	var found *sshkey.Key
	lines := bufio.NewScanner(io.LimitReader(r, maxText))
	lines.Buffer(nil, maxText)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := Parse(fmt.Sprintf("%s:%d", name, n), line)
		if err != nil {
			return sshkey.Key{}, err
		}
		if found != nil {
			return sshkey.Key{}, fmt.Errorf("%s:%d: more than one key", name, n)
		}
		found = &key
	}
	if err := lines.Err(); err != nil {
		return sshkey.Key{}, fmt.Errorf("read %s: %w", name, err)
	}
	if found == nil {
		return sshkey.Key{}, hint.Error(name+": no public key there", makeOne)
	}
	return *found, nil
}

// Parse returns the key in a line, or in the certificate there. The error says what to do.
func Parse(place, line string) (sshkey.Key, error) {
	key, err := sshkey.Parse(strings.Join(strings.Fields(line), " "))
	switch {
	case strings.Contains(line, "PRIVATE KEY"):
		return key, hint.Error(place+": this is a private key",
			"the public one is in the file ending in .pub")
	case errors.Is(err, sshkey.ErrUnknown), err != nil && options(line):
		return key, hint.Error(fmt.Sprintf("%s: %v", place, err),
			"give the line that ssh-keygen wrote, without options before it")
	case err != nil:
		return key, fmt.Errorf("%s: %w", place, err)
	case !key.OnSecurityKey():
		return key, hint.Error(fmt.Sprintf(
			"%s: this key is in a file, not on a security key: its type is %s", place, key.Type),
			makeOne)
	}
	return key, nil
}

// options reports whether a line of authorized_keys begins with options.
func options(line string) bool {
	first, rest, _ := strings.Cut(line, " ")
	return !strings.HasPrefix(first, "sk-") && strings.Contains(rest, "sk-")
}

// OfLogin returns the security keys that sshd accepted in the login at which the program was
// started: with ExposeAuthInfo, the variable SSH_USER_AUTH names a file of sshd's that says so.
// The file is the user's, who may write anything there: so it is good for offering a choice, and
// proves nothing.
func OfLogin(path string) (keys []sshkey.Key) {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText))
	if err != nil {
		return nil
	}
	for _, key := range sshkey.Accepted(string(text)) {
		if key.OnSecurityKey() {
			keys = append(keys, key)
		}
	}
	return keys
}
