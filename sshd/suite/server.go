package suite

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite/wire"
)

// The servers that tests share. Each is its own sshd process with its own PAM service.
var (
	// PasswordAndCode is what README tells an administrator to configure.
	PasswordAndCode = Config{Name: "latchkey", Stack: Latchkey}
	// KeyAndCode needs a public key first; the PAM stack asks for the code alone.
	KeyAndCode = Config{Name: "latchkey-key", Stack: OnlyCode, Options: []string{
		"PubkeyAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive"}}
	// PasswordToo leaves the password method on, the trap that FAULTS 11 describes.
	PasswordToo = Config{Name: "latchkey-trap", Stack: Latchkey,
		Options: []string{"PasswordAuthentication yes"}}
	PlainUnix  = Config{Name: "plain", Stack: Unix}
	WithGoogle = Config{Name: "google", Stack: Google}
	WithOath   = Config{Name: "oath", Stack: Oath}
	// Others with a key, to compare what happens after it.
	KeyAndGoogle = Config{Name: "google-key", Stack: OnlyGoogle, Options: KeyAndCode.Options}
	KeyAndOath   = Config{Name: "oath-key", Stack: OnlyOath, Options: KeyAndCode.Options}
)

// base is the rest of every sshd_config.
const base = `HostKey /suite/host_key
AuthorizedKeysFile /suite/user_key.pub
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication yes
PubkeyAuthentication no
PermitRootLogin prohibit-password
UseDNS no
MaxStartups 500
MaxAuthTries 6
LoginGraceTime 120
PidFile none
PrintMotd no
Subsystem sftp /usr/lib/openssh/sftp-server
`

// Server gives the shared server of that configuration, starting it at the first call.
func (h *Host) Server(c Config) (*Server, error) {
	h.servers.Lock()
	defer h.servers.Unlock()
	if s := h.kept[c.Name]; s != nil {
		return s, nil
	}
	s, err := h.Serve(c)
	if err == nil {
		h.kept[c.Name] = s
	}
	return s, err
}

// Serve starts a server of its own for that configuration; the caller stops it.
func (h *Host) Serve(c Config) (*Server, error) {
	if err := h.Service(c.Name, c.Stack, c.Account...); err != nil {
		return nil, err
	}
	return h.onFreePort(c, (*Server).configured)
}

// onFreePort starts a server; argv writes what it needs and gives its command line.
func (h *Host) onFreePort(c Config, argv func(*Server) ([]string, error)) (*Server, error) {
	var last error
	for range 5 { // another process may take the port between its choice and its use
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		s := &Server{Host: h, Config: c, Port: port}
		if last = s.listen(argv); last == nil {
			return s, nil
		}
		s.Stop()
	}
	return nil, last
}

// configured writes the configuration of a server with a PAM service of its own.
func (s *Server) configured() ([]string, error) {
	lines := append([]string{fmt.Sprintf("ListenAddress 127.0.0.1:%d", s.Port),
		"VersionAddendum " + s.token()}, s.Options...)
	program := "/usr/sbin/sshd"
	if s.serviceOption {
		lines = append(lines, "PAMServiceName "+s.Config.Name, "PerSourcePenalties no")
	} else {
		program = "/suite/" + s.Config.Name
		if _, err := s.Exec("", "/bin/ln", "-sf", "/usr/sbin/sshd", program); err != nil {
			return nil, err
		}
	}
	file := fmt.Sprintf("/suite/sshd_config.%d", s.Port)
	_, err := s.Exec(strings.Join(lines, "\n")+"\n"+base, "/usr/bin/tee", file)
	return []string{program, "-D", "-f", file}, err
}

// listen has sshd check its configuration, starts it, and waits for its banner.
func (s *Server) listen(argv func(*Server) ([]string, error)) error {
	command, err := argv(s)
	if err != nil {
		return err
	}
	if _, err := s.Exec("", append([]string{command[0], "-t"}, command[2:]...)...); err != nil {
		return err
	}
	if s.conn, err = s.begin(wire.Request{Argv: command}); err != nil {
		return err
	}
	var ended error
	err = poll.Until("sshd "+s.Config.Name, time.Minute, func() error {
		if ended = s.ended(); ended != nil {
			return nil
		}
		return s.banner()
	})
	return errors.Join(err, ended)
}

// ended is an error if the server has ended, as it does where another one has its port.
func (s *Server) ended() error {
	reply := make([]byte, 4096)
	if err := s.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	if n, _ := s.conn.Read(reply); n > 0 {
		return fmt.Errorf("sshd %s has ended: %s", s.Config.Name, reply[:n])
	}
	return nil
}

// token names this server in its banner, so that no other one is taken for it.
func (s *Server) token() string { return fmt.Sprintf("%.12s-%d", s.id, s.Port) }

// banner checks that it is this server of the distribution's that answers.
func (s *Server) banner() error {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.Contains(line, s.OpenSSH) || !strings.Contains(line, s.token()) {
		return errors.New("another server answers: " + strconv.Quote(line))
	}
	return nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// Stop kills the server's listening process and all that it started.
func (s *Server) Stop() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// FreePort chooses a port that is free now, below those that the system gives to clients.
func FreePort() (port int, err error) {
	for range 100 {
		port = 10000 + rand.IntN(10000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// Service writes /etc/pam.d/NAME.
func (h *Host) Service(name string, stack Stack, account ...string) error {
	_, err := h.Exec(stack.file(account...), "/usr/bin/tee", "/etc/pam.d/"+name)
	return err
}
