package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"latchkey/pam/twilio/protocol"
)

// document is twilio.toml while it is read. No error shows what is written there, not even a key: in a file of secrets
// anything may be one that went to the wrong place.
type document struct {
	file   string
	parser unstable.Parser
	values map[string]string
	lines  map[string]int // of the keys so far
}

func newDocument(file string, text []byte) *document {
	d := &document{file: file, values: map[string]string{}, lines: map[string]int{}}
	d.parser.Reset(text)
	return d
}

// read takes the whole file.
func (d *document) read() error {
	for d.parser.NextExpression() {
		if err := d.expression(d.parser.Expression()); err != nil {
			return err
		}
	}
	return d.syntaxError()
}

// expression takes one `key = "value"`.
func (d *document) expression(n *unstable.Node) error {
	key := n.Key()
	key.Next()
	name, line := string(key.Node().Data), lineAt(d.parser.Data(), int(key.Node().Raw.Offset))
	first, twice := d.lines[name]
	switch {
	case n.Kind != unstable.KeyValue:
		return d.errorAt(line, "the file has no tables")
	case key.Next() || !isKey(name):
		return d.errorAt(line, "unknown key: the keys are service_sid, account_sid, api_key, api_secret, auth_token, base_url, ca_file and proxy")
	case twice:
		return d.errorAt(line, "%s is set twice, first on line %d", name, first)
	case n.Value().Kind != unstable.String:
		return d.errorAt(line, "%s must be a string, in quotes", name)
	case len(n.Value().Data) == 0:
		return d.errorAt(line, "%s is empty: leave it out or give it a value", name)
	}
	d.values[name], d.lines[name] = string(n.Value().Data), line
	return nil
}

func isKey(name string) bool {
	switch name {
	case "service_sid", "account_sid", "api_key", "api_secret", "auth_token", "base_url", "ca_file", "proxy":
		return true
	}
	return false
}

// syntaxError says where the parser stopped, but not at what.
func (d *document) syntaxError() error {
	err := d.parser.Error()
	if err == nil {
		return nil
	}
	line := lineAt(d.parser.Data(), len(d.parser.Data()))
	var where *unstable.ParserError
	if errors.As(err, &where) {
		line = lineAt(d.parser.Data(), int(d.parser.Range(where.Highlight).Offset))
	}
	return d.errorAt(line, `this is not TOML: write key = "value"`)
}

// settings is what the values mean, checked; ca_file is still to be read.
func (d *document) settings() (protocol.Settings, error) {
	s := protocol.Settings{
		ServiceSID: d.values["service_sid"], AccountSID: d.values["account_sid"],
		APIKey: d.values["api_key"], APISecret: d.values["api_secret"], AuthToken: d.values["auth_token"],
		BaseURL: origin(d.values["base_url"]), Proxy: origin(d.values["proxy"]),
	}
	return s, d.place(s.Validate())
}

// origin is a URL without the slash at its end that browsers show. What is nothing else stays, for Validate to refuse.
func origin(url string) string {
	if url == "/" {
		return url
	}
	return strings.TrimSuffix(url, "/")
}

// place gives an error about a key the line of the key, or says that the key is not there.
func (d *document) place(err error) error {
	var about *protocol.SettingError
	if !errors.As(err, &about) {
		return err
	}
	if line, set := d.lines[about.Key]; set {
		return d.errorAt(line, "%v", err)
	}
	return fmt.Errorf("%s: %s is not set: it %s", d.file, about.Key, about.What)
}

func (d *document) errorAt(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", d.file, line, fmt.Sprintf(format, args...))
}
