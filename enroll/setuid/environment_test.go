package setuid

import (
	"slices"
	"testing"
)

func TestOnlyHarmlessValuesAreKeptFromTheEnvironment(t *testing.T) {
	fixed := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GOTRACEBACK=none"}
	for name, c := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing": {nil, nil},
		"a terminal and a locale": {
			map[string]string{"TERM": "xterm-256color", "LANG": "C.UTF-8"},
			[]string{"TERM=xterm-256color", "LANG=C.UTF-8"},
		},
		"the caller of sudo": {map[string]string{"SUDO_USER": "alice"},
			[]string{"SUDO_USER=alice"}},
		"a caller of sudo that is a path": {map[string]string{"SUDO_USER": "../alice"}, nil},
		"a path in a locale":              {map[string]string{"LANG": "../../tmp/x"}, nil},
		"an own search path":              {map[string]string{"PATH": "/tmp"}, nil},
		"a terminal that is a file":       {map[string]string{"TERM": "/tmp/x"}, nil},
		"what sshd says of the login": {
			map[string]string{"SSH_USER_AUTH": "/tmp/sshauth.Ab3"},
			[]string{"SSH_USER_AUTH=/tmp/sshauth.Ab3"},
		},
		"another file in its place": {map[string]string{"SSH_USER_AUTH": "/etc/shadow"}, nil},
		"a way out of its folder": {map[string]string{"SSH_USER_AUTH": "/tmp/sshauth.a/../b"},
			nil},
		"a line feed": {map[string]string{"TERM": "xterm\nx"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := fixedEnvironment(func(n string) string { return c.env[n] })
			if want := slices.Concat(fixed, c.want); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
