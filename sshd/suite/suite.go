package suite

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"latchkey/sshd/suite/container"
	"latchkey/sshd/suite/workdir"
)

// Suite is the containers of a test run, the staged installation and the key pairs.
type Suite struct {
	*shared
	folder *os.File   // removed by Close
	Key    ssh.Signer // accepted for every user by servers that take public keys
	// Stranger is a key that no server accepts.
	Stranger ssh.Signer
	out      io.Writer

	mu    sync.Mutex
	hosts map[*Distribution]*Host
}

// Open finds an engine and stages latchkey. What takes long is told on out.
func Open(out io.Writer) (*Suite, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the login suite needs root: it starts containers and reads " +
			"the processes inside")
	}
	found, err := container.Find()
	if err != nil {
		return nil, err
	}
	folder, err := workdir.New()
	if err != nil {
		return nil, err
	}
	s := &Suite{shared: &shared{Engine: found, dir: folder.Name()}, folder: folder, out: out,
		hosts: map[*Distribution]*Host{}}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Suite) prepare() (err error) {
	if s.host, _, err = newKey(filepath.Join(s.dir, "host_key")); err != nil {
		return err
	}
	known := append([]byte("host "), ssh.MarshalAuthorizedKey(s.host)...)
	if err := os.WriteFile(filepath.Join(s.dir, "known_hosts"), known, 0o644); err != nil {
		return err
	}
	if _, s.Key, err = newKey(filepath.Join(s.dir, "user_key")); err != nil {
		return err
	}
	if _, s.Stranger, err = newKey(filepath.Join(s.dir, "stranger_key")); err != nil {
		return err
	}
	if err := s.stage(HostPackage); err != nil {
		return err
	}
	return s.build("go", "build", "-trimpath", "-o", filepath.Join(s.dir, "agent"),
		"./sshd/agent")
}

// Close removes the containers, by their ids, and the temporary folder.
func (s *Suite) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for d, h := range s.hosts {
		errs = append(errs, h.Close())
		delete(s.hosts, d)
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir), s.folder.Close())...)
}

// Host gives the distribution's shared container, starting it at the first call.
func (s *Suite) Host(d *Distribution) (*Host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[d]; h != nil {
		return h, nil
	}
	h, err := s.launch(d, HostPackage, hostNetwork)
	if err == nil {
		s.hosts[d] = h
	}
	return h, err
}

// Private starts a container that no one else uses; the caller closes it.
func (s *Suite) Private(d *Distribution) (*Host, error) { return s.start(d, HostPackage) }

// Lasting is Private in a container that can be started again (Host.Restart).
func (s *Suite) Lasting(d *Distribution) (*Host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lasting := *s.shared
	lasting.lasting = true
	other := &Suite{shared: &lasting, out: s.out}
	return other.launch(d, HostPackage, hostNetwork)
}

// With is Private with more of Debian's packages.
func (s *Suite) With(d *Distribution, packages ...string) (*Host, error) {
	return s.start(d, HostPackage, packages...)
}

// Apart is With, with a network of its own that only what runs inside reaches. Root may make tunnels
// there and, if it may here, lift limits.
func (s *Suite) Apart(d *Distribution, packages ...string) (*Host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	options := []string{"--network=none", "--device=/dev/net/tun", "--cap-add=NET_ADMIN"}
	may, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, unix.CAP_SYS_RESOURCE, 0, 0, 0)
	if err == nil && may == 1 {
		options = append(options, "--cap-add=SYS_RESOURCE")
	}
	return s.launch(d, HostPackage, options, packages...)
}

// Bare is Private without latchkey.
func (s *Suite) Bare(d *Distribution, packages ...string) (*Host, error) {
	return s.start(d, Nothing, packages...)
}

// Fleetd is Private with the service of a fleet in place of what hosts have.
func (s *Suite) Fleetd(d *Distribution, packages ...string) (*Host, error) {
	return s.start(d, ServicePackage, packages...)
}

// start prepares one image at a time, and starts containers at the same time.
func (s *Suite) start(d *Distribution, content Content, packages ...string) (*Host, error) {
	s.mu.Lock()
	image, err := s.image(d, content, packages...)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.contain(d, image, content, hostNetwork)
}

// hostNetwork is the option for a container in the network of this machine.
var hostNetwork = []string{"--network=host"}

func (s *Suite) launch(d *Distribution, content Content, options []string,
	more ...string) (*Host, error) {
	image, err := s.image(d, content, more...)
	if err != nil {
		return nil, err
	}
	return s.contain(d, image, content, options)
}

// image makes what a container needs, unless it is there.
func (s *Suite) image(d *Distribution, content Content, more ...string) (string, error) {
	image, err := s.Engine.Image(d.Suite, packages, s.out)
	if err != nil {
		return "", err
	}
	if !s.Engine.Proved {
		if s.Engine, err = s.Engine.Usable(image); err != nil {
			return "", err
		}
	}
	if len(more) > 0 {
		if image, err = s.Engine.Layer(image, more, s.out); err != nil {
			return "", err
		}
	}
	return image, s.stage(content)
}

func (s *Suite) contain(d *Distribution, image string, content Content, options []string) (
	*Host, error) {
	h, err := s.run(d, image, content, options)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", d.Name, err)
	}
	return h, nil
}

// newKey makes an ed25519 key pair and saves it at path (OpenSSH's format, mode 0600) and
// path.pub.
func newKey(path string) (ssh.PublicKey, ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "latchkey suite")
	if err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, nil, err
	}
	public := signer.PublicKey()
	return public, signer, os.WriteFile(path+".pub", ssh.MarshalAuthorizedKey(public), 0o644)
}
