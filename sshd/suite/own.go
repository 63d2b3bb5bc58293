package suite

import "fmt"

// Own starts the distribution's own sshd: its sshd_config, its PAM service, its process id in /run/sshd.pid. Only where it
// listens and its key, which clients know, are the suite's. The caller stops it.
func (h *Host) Own() (*Server, error) {
	return h.onFreePort(Config{Name: "sshd"}, (*Server).own)
}

func (s *Server) own() ([]string, error) {
	options := []string{fmt.Sprintf("ListenAddress=127.0.0.1:%d", s.Port), "HostKey=/suite/host_key",
		"AuthorizedKeysFile=/suite/user_key.pub", "UseDNS=no"}
	if s.serviceOption {
		options = append(options, "PerSourcePenalties=no") // since the same OpenSSH
	}
	argv := []string{"/usr/sbin/sshd", "-D"}
	for _, o := range options {
		argv = append(argv, "-o", o)
	}
	return argv, nil
}
