package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"latchkey/enroll/attestation"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/publickey"
	"latchkey/enroll/setuid"
	"latchkey/pam/enrollment"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
)

// addKey gives a user one more security key.
func (p *program) addKey(o options.Options) error {
	if (o.Attestation == "") != (o.Challenge == "") {
		return hint.Misuse("--attestation and --challenge belong together")
	}
	who, err := p.adding(o)
	if err != nil {
		return err
	}
	return p.unlessThere(who, o, p.addPublicKey)
}

// addPublicKey adds a security key that the user does not have.
func (p *program) addPublicKey(who identity, o options.Options) error {
	if err := p.wantsAttestation(o); err != nil {
		return err
	}
	piped, err := p.pipedKey(o)
	if err != nil {
		return err
	}
	proof, err := p.proveNew(who, o)
	if err != nil {
		return err
	}
	d, err := p.securityKey(who, o, piped)
	if err != nil {
		return err
	}
	saved := p.save(proof, who, d, 0)
	if !made(saved) {
		return saved
	}
	return cmp.Or(saved, p.sayKey(who, o, d))
}

// wantsAttestation refuses to begin what the policy would not accept.
func (p *program) wantsAttestation(o options.Options) error {
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil || !rules.RequireAttestation || o.Attestation != "" {
		return err
	}
	return hint.Error(
		"latchkey.toml asks for its maker's proof that a security key is one "+
			"(require_attestation)",
		"make the key with: ssh-keygen -t ed25519-sk -O challenge=FILE1 "+
			"-O write-attestation=FILE2; "+
			"then: enroll add key --challenge FILE1 --attestation FILE2"+o.ForUser())
}

// pipedKey is the key on standard input, if there is one and no person: it is read first, and the
// password and the code are typed at the terminal. Without a terminal they follow it.
func (p *program) pipedKey(o options.Options) (*sshkey.Key, error) {
	if o.File != "" && o.File != "-" || o.File == "" && p.Typed() {
		return nil, nil
	}
	in := p.In
	if p.uid != 0 && p.FromTerminal() != nil {
		line, err := p.AskLong("")
		if err != nil {
			return nil, err
		}
		key, err := publickey.Parse("standard input:1", line)
		return &key, err
	}
	key, err := publickey.Read("standard input", in)
	return &key, err
}

// securityKey makes the device, with the proof that it is one if the options have that.
func (p *program) securityKey(
	who identity, o options.Options, piped *sshkey.Key) (record.Device, error) {
	key, err := p.publicKey(who, o, piped)
	if err != nil {
		return record.Device{}, err
	}
	label := o.Label
	if label == "" {
		if label, err = p.freeLabel(who, standardLabel[o.Command.Name]); err != nil {
			return record.Device{}, err
		}
	}
	d := enrollment.NewKey(label, key, p.clock())
	if err := d.Check(); err != nil {
		return d, hint.Misuse("%v", err)
	}
	if o.Attestation != "" {
		err = p.attest(o, key)
		d.Attested = err == nil
	}
	return d, err
}

// publicKey is the key that was on standard input or is in the file that the options name, or the
// one that is typed or chosen.
func (p *program) publicKey(
	who identity, o options.Options, piped *sshkey.Key) (sshkey.Key, error) {
	switch {
	case piped != nil:
		return *piped, nil
	case o.File == "":
		return p.chooseKey(who)
	}
	f, err := os.Open(o.File) // with the caller's rights
	if err != nil {
		return sshkey.Key{}, err
	}
	defer f.Close()
	return publickey.Read(o.File, f)
}

// chooseKey asks for the line of a key, or for the number of one that this login was made with.
func (p *program) chooseKey(who identity) (sshkey.Key, error) {
	prompt := "Line of the public key (it is in a file such as ~/.ssh/id_ed25519_sk.pub): "
	var own []sshkey.Key
	if int(who.UID) == p.uid {
		own = publickey.OfLogin(setuid.LoginInfo())
	}
	for i, key := range own {
		fmt.Fprintf(p.Out, "%d: %s %s\n", i+1, key.Type, key.Fingerprint())
		prompt = "Number of a key of this login, or the line of another public key: "
	}
	typed, err := p.AskLong(prompt)
	if err != nil {
		return sshkey.Key{}, err
	}
	if n, err := strconv.Atoi(strings.TrimSpace(typed)); err == nil && 1 <= n && n <= len(own) {
		return own[n-1], nil
	}
	return publickey.Read("standard input", strings.NewReader(typed))
}

// attest reports why the files do not prove that key is on a security key.
func (p *program) attest(o options.Options, key sshkey.Key) error {
	text, err := readSmall(o.Attestation)
	if err != nil {
		return err
	}
	challenge, err := readSmall(o.Challenge)
	if err != nil {
		return err
	}
	err = p.AsRoot(func() error {
		makers, err := attestation.Load(p.root)
		if err == nil {
			err = makers.Check(text, challenge, key, p.clock())
		}
		return err
	})
	switch {
	case errors.Is(err, attestation.ErrNone):
		return hint.Error(err.Error()+"; nothing was changed",
			"root: "+attestation.PutThere)
	case err != nil:
		return fmt.Errorf("%s: %w; nothing was changed", o.Attestation, err)
	}
	return nil
}

// readSmall reads a file with the caller's rights.
func readSmall(path string) ([]byte, error) {
	const limit = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", path, limit)
	}
	return text, err
}

func (p *program) sayKey(who identity, o options.Options, d record.Device) error {
	if o.JSON {
		return writeJSON(p.Out, addedDevice{User: who.Name, Changed: true, Device: d.Label})
	}
	attested := ""
	if d.Attested {
		attested = ", attested by its maker"
	}
	_, err := fmt.Fprintf(p.Out,
		"Done: the security key %q is set up for %s%s: %s\nSSH logins with it need no code.\n",
		d.Label, who.Name, attested, d.Fingerprint())
	return err
}
