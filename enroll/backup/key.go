package backup

import (
	"errors"
	"fmt"
	"os"

	"filippo.io/age"

	"latchkey/enroll/hint"
)

// Recipients returns one recipient of age and those in a file, each if it is given; with neither,
// the passphrase that ask returns.
func Recipients(one, file string, ask func() (string, error)) (to []age.Recipient, err error) {
	if one == "" && file == "" {
		typed, err := ask()
		if err != nil {
			return nil, err
		}
		r, err := age.NewScryptRecipient(typed)
		return []age.Recipient{r}, err
	}
	if one != "" {
		r, err := age.ParseX25519Recipient(one)
		if err != nil {
			return nil, hint.Misuse("--recipient must be one of age, such as age1...")
		}
		to = append(to, r)
	}
	if file == "" {
		return to, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	more, err := age.ParseRecipients(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %v", file, err)
	}
	return append(to, more...), nil
}

// leastPassphrase is the number of bytes below which a passphrase is short.
const leastPassphrase = 12

// Short reports whether a passphrase may be guessed by someone who has the file, and can try as
// many as they like.
func Short(passphrase string) bool { return len(passphrase) < leastPassphrase }

// mostWork is the logarithm of the work that a file may ask of scrypt: 2^20 is 1 GiB of memory.
const mostWork = 20

// Identities returns the identities of age in a file; without one, the passphrase that ask
// returns.
func Identities(file string, ask func() (string, error)) ([]age.Identity, error) {
	if file == "" {
		typed, err := ask()
		if err != nil {
			return nil, err
		}
		with, err := age.NewScryptIdentity(typed)
		if err != nil {
			return nil, err
		}
		with.SetMaxWorkFactor(mostWork)
		return []age.Identity{with}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	with, err := age.ParseIdentities(f)
	if err != nil { // which may show a line of the file
		return nil, errors.New(file + ": no identities of age (AGE-SECRET-KEY-1...)")
	}
	return with, nil
}
