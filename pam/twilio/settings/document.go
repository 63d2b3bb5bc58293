package settings

import (
	"errors"
	"fmt"
	"strings"

	"latchkey/pam/strict"
	"latchkey/pam/twilio/access"
)

// document is twilio.toml while it is read. No error shows what is written there, not even a key:
// in a file of secrets anything may be one that went to the wrong place.
type document struct {
	strict.Schema
	values map[string]string
	lines  map[string]int // of the keys so far
}

const unknownKey = "unknown key: the keys are service_sid, account_sid, api_key, api_secret, " +
	"auth_token, base_url, ca_file and proxy"

func newDocument(file string) *document {
	d := &document{values: map[string]string{}, lines: map[string]int{}}
	d.Schema = strict.Schema{File: file, Limit: maxFile, Hidden: unknownKey, Set: d.set}
	return d
}

// set takes one `key = "value"`.
func (d *document) set(_ string, v strict.Value) error {
	if !isKey(v.Name) {
		return v.Unknown()
	}
	text, ok := v.String()
	switch {
	case !ok:
		return v.Refuse("be a string, in quotes")
	case text == "":
		return v.Errorf("%s is empty: leave it out or give it a value", v.Name)
	}
	d.values[v.Name], d.lines[v.Name] = text, v.Line
	return nil
}

func isKey(name string) bool {
	switch name {
	case "service_sid", "account_sid", "api_key", "api_secret", "auth_token", "base_url",
		"ca_file", "proxy":
		return true
	}
	return false
}

// settings is what the values mean, checked; ca_file is still to be read.
func (d *document) settings() (access.Settings, error) {
	s := access.Settings{
		ServiceSID: d.values["service_sid"], AccountSID: d.values["account_sid"],
		APIKey: d.values["api_key"], APISecret: d.values["api_secret"],
		AuthToken: d.values["auth_token"],
		BaseURL:   origin(d.values["base_url"]), Proxy: origin(d.values["proxy"]),
	}
	return s, d.place(s.Validate())
}

// origin is a URL without the slash at its end that browsers show. What is nothing else stays, for
// Validate to refuse.
func origin(url string) string {
	if url == "/" {
		return url
	}
	return strings.TrimSuffix(url, "/")
}

// place gives an error about a key the line of the key, or says that the key is not there.
func (d *document) place(err error) error {
	var about *access.SettingError
	if !errors.As(err, &about) {
		return err
	}
	if line, set := d.lines[about.Key]; set {
		return d.ErrorAt(line, "%v", err)
	}
	return fmt.Errorf("%s: %s is not set: it %s", d.File, about.Key, about.What)
}
