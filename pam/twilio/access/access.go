// Package access says which service of Twilio Verify is used, with which credentials, and how it
// is reached. The login program links it, so it imports nothing of the network.
package access

import (
	"fmt"
	"strings"

	"latchkey/pam/endpoint"
)

// DefaultBaseURL is where Verify is unless the settings say otherwise.
const DefaultBaseURL = "https://verify.twilio.com"

// MaxCA is the longest list of authorities, in bytes: with it a request stays below the longest
// message.
const MaxCA = 32 << 10

// Settings say which service of which account is used, with which credentials, and how it is
// reached.
type Settings struct {
	ServiceSID string `json:"service_sid"` // VA and 32 hexadecimal digits
	AccountSID string `json:"account_sid"` // AC and 32 hexadecimal digits
	// SK and 32 hexadecimal digits, with APISecret;
	APIKey string `json:"api_key,omitempty"`
	// 1 to 128 printable ASCII characters without a space
	APISecret string `json:"api_secret,omitempty"`
	AuthToken string `json:"auth_token,omitempty"` // or instead the account's token, likewise
	// https, a host, at most a port; "" is DefaultBaseURL
	BaseURL string `json:"base_url,omitempty"`
	// certificates in PEM: the only authorities that count; "" is the system's
	CA string `json:"ca,omitempty"`
	// http or https, a host, at most a port, user and password; "" is none
	Proxy string `json:"proxy,omitempty"`
}

// String hides the credentials.
func (s Settings) String() string { return "settings of Verify" }

// GoString hides them from %#v.
func (s Settings) GoString() string { return s.String() }

// Base is the URL below which every request goes, without a slash at its end.
func (s Settings) Base() string {
	if s.BaseURL == "" {
		return DefaultBaseURL
	}
	return s.BaseURL
}

// Validate returns what is wrong with s, by the names of twilio.toml and without showing any
// value. The error is a *SettingError.
func (s Settings) Validate() error {
	switch {
	case !IsSID("VA", s.ServiceSID):
		return mustBe("service_sid", "VA and 32 hexadecimal digits")
	case !IsSID("AC", s.AccountSID):
		return mustBe("account_sid", "AC and 32 hexadecimal digits")
	}
	if err := s.validateCredentials(); err != nil {
		return err
	}
	return s.validateRoute()
}

const secretShape = "1 to 128 printable ASCII characters without a space"

// validateCredentials takes exactly one kind: which of two would be used is a question that
// settings should not raise.
func (s Settings) validateCredentials() error {
	switch {
	case s.APIKey == "" && s.APISecret == "" && s.AuthToken == "":
		return &SettingError{"api_key",
			"must be set together with api_secret, unless auth_token is set"}
	case s.AuthToken != "" && (s.APIKey != "" || s.APISecret != ""):
		return &SettingError{"auth_token", "must not be set together with api_key and api_secret"}
	case s.AuthToken != "" && !isSecret(s.AuthToken):
		return mustBe("auth_token", secretShape)
	case s.AuthToken != "":
		return nil
	case !IsSID("SK", s.APIKey):
		return mustBe("api_key", "SK and 32 hexadecimal digits")
	case !isSecret(s.APISecret):
		return mustBe("api_secret", secretShape)
	}
	return nil
}

func (s Settings) validateRoute() error {
	switch {
	case s.BaseURL != "" && !isBase(s.BaseURL):
		return mustBe("base_url", `"https://", a host and at most a port`)
	case s.CA != "" && !endpoint.IsCertificates(s.CA, MaxCA):
		return mustBe("ca_file", fmt.Sprintf("a file of certificates in PEM, at most %d KiB",
			MaxCA>>10))
	case s.Proxy != "" && !isProxy(s.Proxy):
		return mustBe("proxy",
			`"http://" or "https://", at most a user and a password, a host and at most a port`)
	}
	return nil
}

// SettingError says what is wrong with one key of twilio.toml.
type SettingError struct {
	Key  string
	What string // "must be …", never with the value
}

func (e *SettingError) Error() string { return e.Key + " " + e.What }

func mustBe(key, what string) error { return &SettingError{key, "must be " + what} }

func isBase(s string) bool {
	u, err := endpoint.Parse(s)
	return err == nil && u.Scheme == "https" && u.User == nil
}

func isProxy(s string) bool {
	u, err := endpoint.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// IsSID reports whether s is kind and 32 hexadecimal digits.
func IsSID(kind, s string) bool {
	digits, ok := strings.CutPrefix(s, kind)
	return ok && len(digits) == 32 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// isSecret reports whether s is 1 to 128 printable ASCII characters without a space. Twilio's are
// letters and digits.
func isSecret(s string) bool {
	return 1 <= len(s) && len(s) <= 128 && strings.TrimFunc(s, visible) == ""
}

func visible(r rune) bool { return ' ' < r && r <= '~' }
