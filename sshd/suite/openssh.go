package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"latchkey/sshd/terminal"
)

// OpenSSH is one run of OpenSSH's own clients, ssh, scp or sftp, answered by an askpass program.
type OpenSSH struct {
	User     string
	Password string
	// one for each prompt that is not for a password; after the last, askpass fails
	Codes   []string
	Key     bool     // offer the suite's key
	Methods string   // PreferredAuthentications; empty: keyboard-interactive
	Options []string // more ssh_config lines, as for -o
	Stdin   string
}

// Run is how a client ended.
type Run struct {
	Exit           int
	Stdout, Stderr string
	Prompts        []string // as the client asked them
}

// askpass answers by the prompt: the password, or the next line of the codes.
const askpass = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
printf '%s\n' "$1" >>prompts
case $1 in
Password*|*") Password"*|*"'s password:"*) exec cat password ;;
esac
n=$(cat count)
echo $((n + 1)) >count
[ -e "code.$n" ] && exec cat "code.$n"
exit 1
`

// Args are the ssh_config options of a run, usable with ssh, scp and sftp; dir holds the host
// key's file.
func (s *Server) args(c OpenSSH) []string {
	options := append(append([]string{}, c.Options...),
		fmt.Sprintf("Port=%d", s.Port), "HostName=127.0.0.1", "User="+c.User,
		"UserKnownHostsFile="+filepath.Join(s.suite.dir, "known_hosts"),
		"GlobalKnownHostsFile=none", "HostKeyAlias=host",
		"StrictHostKeyChecking=yes", "NumberOfPasswordPrompts=1", "IdentitiesOnly=yes",
		"LogLevel=ERROR",
	)
	methods := c.Methods
	if methods == "" {
		methods = "keyboard-interactive"
	}
	if c.Key {
		options = append(options, "IdentityFile="+filepath.Join(s.suite.dir, "user_key"))
		methods = "publickey," + methods
	} else {
		options = append(options, "IdentityFile=none")
	}
	args := []string{"-F", "none"}
	for _, o := range append(options, "PreferredAuthentications="+methods) {
		args = append(args, "-o", o)
	}
	return args
}

// Client runs ssh, scp or sftp with the arguments after the options; the host is called "host".
func (s *Server) Client(program string, c OpenSSH, args ...string) (*Run, error) {
	dir, err := os.MkdirTemp(s.suite.dir, "askpass-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := c.answer(dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), loginLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(s.args(c), args...)...)
	cmd.Env = append(os.Environ(), asking(dir)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.Stdin), &stdout, &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return nil, errors.Join(err, ctx.Err())
	}
	run := &Run{
		Exit:   cmd.ProcessState.ExitCode(),
		Stdout: stdout.String(),
		Stderr: stderr.String(),
	}
	run.Prompts, err = asked(dir)
	return run, err
}

// CodePrompts counts the prompts that were not for a password.
func (r *Run) CodePrompts() (n int) {
	for _, p := range r.Prompts {
		if !asksPassword(p) {
			n++
		}
	}
	return n
}

// Terminal starts ssh on a terminal of its own, as a person would.
func (s *Server) Terminal(c OpenSSH, args ...string) (*terminal.Terminal, error) {
	return terminal.New(s.Command(c, args...))
}

// Command is the command line of ssh with the arguments after the options.
func (s *Server) Command(c OpenSSH, args ...string) []string {
	return append(append([]string{"ssh"}, s.args(c)...), args...)
}

// Fingerprint is the host key's, as clients show it.
func (s *Server) Fingerprint() string { return ssh.FingerprintSHA256(s.suite.host) }
