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
