package softkey

import (
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Agent serves a key to OpenSSH's own clients, as ssh-agent does with the key of a plugged-in
// security key.
type Agent struct {
	// Options are for the client: where the agent is, and which of its keys is meant.
	Options  []string
	listener net.Listener
	served   sync.WaitGroup
}

// NewAgent serves k at a socket in dir, which is the caller's alone.
func NewAgent(k *Key, dir string) (*Agent, error) {
	socket, public := filepath.Join(dir, "agent"), filepath.Join(dir, "id_sk.pub")
	if err := os.WriteFile(public, []byte(k.Line()+"\n"), 0o600); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	options := []string{"IdentityAgent=" + socket, "IdentityFile=" + public}
	a := &Agent{Options: options, listener: listener}
	a.served.Go(func() { a.serve(holder{k}) })
	return a, nil
}

// serve answers one client after the other.
func (a *Agent) serve(h holder) {
	for {
		conn, err := a.listener.Accept()
		if err != nil {
			return
		}
		_ = agent.ServeAgent(h, conn)
		_ = conn.Close()
	}
}

// Close ends it.
func (a *Agent) Close() {
	_ = a.listener.Close()
	a.served.Wait()
}

// holder is an agent.Agent that signs with one key and does nothing else.
type holder struct{ key *Key }

var errNo = errors.New("this agent only signs")

func (h holder) List() ([]*agent.Key, error) {
	public := h.key.PublicKey()
	return []*agent.Key{{Format: public.Type(), Blob: public.Marshal(), Comment: "software"}}, nil
}

func (h holder) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	if string(key.Marshal()) != string(h.key.PublicKey().Marshal()) {
		return nil, errNo
	}
	return h.key.Sign(rand.Reader, data)
}

func (h holder) Signers() ([]ssh.Signer, error) { return []ssh.Signer{h.key}, nil }

func (holder) Add(agent.AddedKey) error   { return errNo }
func (holder) Remove(ssh.PublicKey) error { return errNo }
func (holder) RemoveAll() error           { return errNo }
func (holder) Lock([]byte) error          { return errNo }
func (holder) Unlock([]byte) error        { return errNo }
