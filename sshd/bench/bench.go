package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"latchkey/sshd/bench/figures"
	"latchkey/sshd/suite"
)

// bench is one host that is measured: a server for each stack, and users who are enrolled in all.
type bench struct {
	host     *suite.Host
	name     string
	servers  map[figures.Stack]*suite.Server
	users    *users
	result   *figures.Run
	progress io.Writer
}

// password asks for the password, and denies at once if it is wrong, without a delay.
const password = "requisite pam_unix.so nodelay"

// oathFile is where pam_oath keeps its users: on the file system on which the other modules keep
// what changes at login, because it writes the file at each.
const oathFile = "/home/oath/users.oath"

// modules are the lines of the stacks but for the password's.
var modules = map[figures.Stack]string{
	figures.Google:   "required pam_google_authenticator.so",
	figures.Oath:     "required pam_oath.so usersfile=" + oathFile + " window=3",
	figures.Latchkey: "required pam_latchkey.so",
}

// newBench starts a host that no one else uses.
func newBench(s *suite.Suite, d *suite.Distribution, result *figures.Run,
	progress io.Writer) (*bench, error) {
	host, err := s.Private(d)
	if err != nil {
		return nil, err
	}
	b := &bench{host: host, name: strings.Replace(d.Name, "debian", "Debian", 1),
		servers: map[figures.Stack]*suite.Server{}, result: result, progress: progress}
	if err := b.prepare(); err != nil {
		_ = host.Close()
		return nil, err
	}
	return b, nil
}

func (b *bench) prepare() (err error) {
	if b.users, err = newUsers(b.host); err != nil {
		return err
	}
	for i, s := range figures.Stacks() {
		config := suite.Config{Name: fmt.Sprintf("bench%d", i), Stack: suite.Stack{password}}
		if module := modules[s]; module != "" {
			config.Stack = append(config.Stack, module)
		}
		if b.servers[s], err = b.host.Serve(config); err != nil {
			return err
		}
	}
	hash, err := b.hash()
	b.result.Hosts = append(b.result.Hosts, figures.Host{Name: b.name,
		OpenSSH: strings.Replace(b.host.OpenSSH, "_", " ", 1), Hash: hash})
	return err
}

// hash returns the beginning of a password's hash, up to what is random in it.
func (b *bench) hash() (string, error) {
	shadow, err := os.ReadFile(b.host.Path("/etc/shadow"))
	if err != nil {
		return "", err
	}
	_, hash, found := strings.Cut(string(shadow), "\n"+b.users.first.Name+":$")
	if parts := strings.Split(hash, "$"); found && len(parts) > 2 {
		return "$" + parts[0] + "$" + parts[1] + "$", nil
	}
	return "", fmt.Errorf("%s has no password", b.users.first.Name)
}

// say reports how far it is.
func (b *bench) say(what string, round, rounds int) {
	if round%10 == 0 || round == rounds {
		fmt.Fprintf(b.progress, "bench: %s: %s, round %d of %d\n", b.name, what, round, rounds)
	}
}

// inside is where this side finds a file of the host.
func (b *bench) inside(parts ...string) string { return b.host.Path(filepath.Join(parts...)) }
