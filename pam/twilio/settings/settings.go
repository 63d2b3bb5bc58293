// Package settings reads /etc/latchkey/twilio.toml: which service of Twilio Verify is used, with
// which credentials.
//
//	service_sid = "VA…"                         # all values are strings
//	account_sid = "AC…"
//	api_key     = "SK…"                         # with api_secret; or auth_token instead of both
//	api_secret  = "…"
//	base_url    = "https://verify.example"      # optional: instead of https://verify.twilio.com
//	# optional: the only authorities that may vouch for the service, and for an https proxy
//	ca_file     = "/etc/latchkey/verify-ca.pem"
//	proxy       = "http://proxy.example:3128"   # optional
//
// The login program links this package, so it imports nothing of the network.
package settings

import (
	"path/filepath"
	"unicode/utf8"

	"latchkey/pam/safefile"
	"latchkey/pam/twilio/access"
)

// DefaultPath is where the settings are.
const DefaultPath = "/etc/latchkey/twilio.toml"

// maxFile is the longest twilio.toml in bytes.
const maxFile = 16 << 10

// Load reads the settings at path below root ("" but in tests). Only root may be able to read
// them. The error matches fs.ErrNotExist exactly if there is no such file in a directory that was
// checked: then there are no phones.
func Load(root, path string) (access.Settings, error) {
	text, err := safefile.ReadFile(root+path, safefile.Private, maxFile)
	if err != nil {
		return access.Settings{}, err
	}
	return Parse(path, text, func(path string) ([]byte, error) {
		return safefile.ReadFile(root+path, safefile.NotWritable, access.MaxCA)
	})
}

// Parse reads the text of the settings; file is their name in errors, readCA reads the file that
// ca_file names. Errors are "file:line: what", and never show anything that is written there but
// the path of ca_file.
func Parse(file string, text []byte, readCA func(path string) ([]byte, error)) (access.Settings,
	error) {
	d := newDocument(file)
	if err := d.Read(text); err != nil {
		return access.Settings{}, err
	}
	s, err := d.settings()
	if err == nil {
		s.CA, err = d.authorities(readCA)
	}
	if err == nil {
		err = d.place(s.Validate())
	}
	if err != nil {
		return access.Settings{}, err
	}
	return s, nil
}

// authorities reads the file that ca_file names, if it names one.
func (d *document) authorities(read func(path string) ([]byte, error)) (string, error) {
	path, set := d.values["ca_file"]
	if !set {
		return "", nil
	}
	line := d.lines["ca_file"]
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return "", d.ErrorAt(line, "ca_file must be an absolute path without . and ..")
	}
	text, err := read(path)
	if err != nil {
		return "", d.ErrorAt(line, "ca_file: %v", err)
	}
	if len(text) == 0 || !utf8.Valid(text) {
		return "", d.ErrorAt(line, "ca_file must be a file of certificates in PEM")
	}
	return string(text), nil
}
