package settings

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"latchkey/pam/endpoint"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/strict"
)

// document is fleet.toml while it is read.
type document struct {
	strict.Schema
	Settings
	lines map[string]int
}

func keys() map[string][]string {
	return map[string][]string{"": {"services", "fleet_key", "verify_key", "ca_file", "host",
		"unreachable", "break_glass"}}
}

// Bounds of the lists.
const (
	maxServices = 16
	maxKeys     = 8
)

// Parse parses the text of the settings; file is their name in errors, readCA reads the file that
// ca_file names. Errors are "file:line: what". The host's key is not read, and Host may be empty.
func Parse(file string, text []byte, readCA func(path string) ([]byte, error)) (*Settings,
	error) {
	d := &document{Settings: Settings{Unreachable: Deny}}
	d.Schema = strict.Schema{File: file, Limit: maxFile, Keys: keys, Set: d.set, Close: d.whole}
	if err := d.Read(text); err != nil {
		return nil, err
	}
	ca, err := readCA(d.CAFile)
	if err != nil {
		return nil, d.ErrorAt(d.lines["ca_file"], "ca_file: %v", err)
	}
	if d.CA = string(ca); !endpoint.IsCertificates(d.CA, maxCA) {
		return nil, d.ErrorAt(d.lines["ca_file"],
			"ca_file must be a file of certificates in PEM, at most %d KiB", maxCA>>10)
	}
	return &d.Settings, nil
}

func (d *document) set(_ string, v strict.Value) error {
	switch v.Name {
	case "services":
		err := strict.Some(v, &d.Services, service)
		return atMost(v, maxServices, len(d.Services), err)
	case "fleet_key":
		return key(v, &d.FleetKey, fleetkey.ParseSealing)
	case "verify_key":
		return d.setVerifyKey(v)
	case "ca_file":
		return v.Text(&d.CAFile, "be an absolute path without . and ..", isPath)
	case "host":
		return v.Text(&d.Host, "be this host's name in the fleet, without spaces",
			wire.IsHostName)
	case "unreachable":
		return strict.Word(Deny, BreakGlass)(v, &d.Unreachable)
	case "break_glass":
		return strict.Some(v, &d.BreakGlass, user)
	}
	return v.Unknown()
}

func (d *document) setVerifyKey(v strict.Value) error {
	var texts []string
	err := strict.Some(v, &texts, func(e strict.Value, into *string) error {
		var k fleetkey.Public
		if err := key(e, &k, fleetkey.ParsePublic); err != nil {
			return err
		}
		d.VerifyKey, *into = append(d.VerifyKey, k), k.String()
		return nil
	})
	return atMost(v, maxKeys, len(d.VerifyKey), err)
}

// atMost refuses a list that is longer than anyone can mean.
func atMost(v strict.Value, most, got int, err error) error {
	if err == nil && got > most {
		return v.Errorf("%s lists %d values, more than %d", v.Name, got, most)
	}
	return err
}

// key reads a public key.
func key[K any](v strict.Value, into *K, parse func(string) (K, error)) error {
	text, ok := v.String()
	if !ok {
		return v.Refuse("be a key, in quotes")
	}
	k, err := parse(text)
	if err != nil {
		return v.Errorf("%s %v", v.Name, err)
	}
	*into = k
	return nil
}

func service(v strict.Value, into *string) error {
	err := v.Text(into, `be "https://", a host and at most a port`, func(s string) bool {
		u, err := endpoint.Parse(strings.TrimSuffix(s, "/"))
		return err == nil && u.Scheme == "https" && u.User == nil
	})
	*into = strings.TrimSuffix(*into, "/")
	return err
}

func user(v strict.Value, into *string) error {
	return v.Text(into, "be a user's exact name",
		func(name string) bool { return record.CheckName(name) == nil })
}

func isPath(path string) bool { return filepath.IsAbs(path) && filepath.Clean(path) == path }

// whole refuses settings of which a part is missing.
func (d *document) whole(_ string, lines map[string]int) error {
	d.lines = lines
	for _, name := range []string{"services", "fleet_key", "verify_key", "ca_file"} {
		if lines[name] == 0 {
			return fmt.Errorf("%s: %s is not set", d.File, name)
		}
	}
	if d.Unreachable == BreakGlass && len(d.BreakGlass) == 0 {
		return d.ErrorAt(lines["unreachable"],
			`unreachable = "break-glass" needs break_glass: the users who may log in then`)
	}
	return nil
}

// Format is the text of fleet.toml.
func (s *Settings) Format() []byte {
	var b strings.Builder
	var signing []string
	for _, k := range s.VerifyKey {
		signing = append(signing, k.String())
	}
	fmt.Fprintf(&b, "services    = %s\n", list(s.Services))
	fmt.Fprintf(&b, "fleet_key   = %q\n", s.FleetKey)
	fmt.Fprintf(&b, "verify_key  = %s\n", list(signing))
	fmt.Fprintf(&b, "ca_file     = %q\n", s.CAFile)
	if s.Host != "" {
		fmt.Fprintf(&b, "host        = %q\n", s.Host)
	}
	fmt.Fprintf(&b, "unreachable = %q\n", s.Unreachable)
	if len(s.BreakGlass) > 0 {
		fmt.Fprintf(&b, "break_glass = %s\n", list(s.BreakGlass))
	}
	return []byte(b.String())
}

func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
