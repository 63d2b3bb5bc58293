package settings_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/fleetd/settings"
)

const least = `name = "mfa1"
services = ["https://mfa1:7443"]
etcd = ["http://127.0.0.1:2379"]
`

func TestSettingsHaveDefaults(t *testing.T) {
	s, err := settings.Parse("fleetd.toml", []byte(least))
	if err != nil || s.Listen != ":7443" || s.Limits.Failures.Count != 30 ||
		s.Limits.Lasts != time.Hour || s.SameUIDs || s.Metrics != "" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestEverySettingIsRead(t *testing.T) {
	s, err := settings.Parse("fleetd.toml", []byte(`name = "mfa1"
listen = "127.0.0.2:7443"
services = ["https://mfa1:7443", "https://mfa2:7443"]
ca_file = "/etc/ca.pem"
tls_cert = "/a.crt"
tls_key = "/a.key"
etcd = ["https://e1:2379"]
etcd_ca = "/e.pem"
etcd_cert = "/e.crt"
etcd_key = "/e.key"
etcd_quota = 4
enroll_hosts = ["@bastion", "web1"]
host_limit = "5/1m"
host_users = 3
quarantine = "2h"
uids = "same"
metrics = "127.0.0.1:7444"
`))
	if err != nil || len(s.Services) != 2 || s.Quota != 4 || s.Limits.Users != 3 ||
		s.Limits.Failures.Count != 5 || s.Limits.Lasts != 2*time.Hour || !s.SameUIDs ||
		s.Metrics != "127.0.0.1:7444" || s.EtcdKey != "/e.key" || len(s.EnrollHosts) != 2 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestMistakesNameFileAndLine(t *testing.T) {
	for line, want := range map[string]string{
		`nmae = "x"`:                      "unknown key",
		`listen = 7443`:                   "listen must be an address",
		`listen = "7443"`:                 "listen must be an address",
		`listen = ":0"`:                   "listen must be an address",
		`metrics = ":7444"`:               "this machine only",
		`metrics = "0.0.0.0:7444"`:        "this machine only",
		`tls_cert = "tls.crt"`:            "absolute path",
		`etcd_quota = 0`:                  "whole number",
		`enroll_hosts = ["a b"]`:          "host's name",
		`host_limit = "30"`:               "rate",
		`host_limit = "0/10m"`:            "rate",
		`host_users = 0`:                  "whole number",
		`quarantine = "0s"`:               "a time",
		`uids = "none"`:                   `"any" or "same"`,
		`name = "mfa2"`:                   "set twice",
		"[limits]":                        "no tables",
		"etcd_ca = \"/a\"\nservices = []": "set twice",
	} {
		_, err := settings.Parse("fleetd.toml", []byte(least+line+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "fleetd.toml:") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "name is not set",
		strings.Replace(least, "http:", "https:", 1): "needs etcd_ca",
		strings.Replace(least, "127.0.0.1", "e1", 1): "this machine only",
		strings.Replace(least, "https:", "http:", 1): "https://",
		strings.Replace(least, "mfa1", "a/b", 1):     "letters, digits",
	} {
		if _, err := settings.Parse("fleetd.toml", []byte(text)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
