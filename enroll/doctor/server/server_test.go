package server

import (
	"fmt"
	"strings"
	"testing"
)

func TestCommandLinesOfSSHDAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"/usr/sbin/sshd -D":                  "{sshd /etc/ssh/sshd_config []}",
		"/usr/sbin/sshd-backup -f /etc/b -D": "{sshd-backup /etc/b []}",
		"sshd -Df /etc/b -oUsePAM=no -o Port=22 -p2": "{sshd /etc/b [-o UsePAM=no " +
			"-o Port=22 -p 2]}",
		"/usr/sbin/sshd -E /var/log/f -D -h /etc/key -f/etc/b": "{sshd /etc/b [-h /etc/key]}",
		"sshd -f": "{sshd  []}",
	} {
		if got := fmt.Sprint(parse(strings.Fields(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestTitlesOfSSHDByAnyNameAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups": "[/usr/sbin/sshd -D]",
		"sshd-b: /usr/sbin/sshd-b -f /b [listener] 0 of 10-100":   "[/usr/sbin/sshd-b -f /b]",
		"sshd: alice [priv]":               "[]",
		"nginx: /usr/sbin/sshd [listener]": "[]",
		"sshd: [listener]":                 "[]",
		"/usr/sbin/sshd\x00-D":             "[]",
	} {
		if got := fmt.Sprint(titled(text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
