package suite

import (
	"fmt"
	"slices"
)

// Own starts the distribution's own sshd: its sshd_config, its PAM service, its process id in
// /run/sshd.pid. Only where it listens and its key, which clients know, are the suite's. Options,
// as for -o, come before all of these. The caller stops it.
func (h *Host) Own(options ...string) (*Server, error) {
	return h.onFreePort(Config{Name: "sshd", Options: options}, (*Server).own)
}

func (s *Server) own() ([]string, error) {
	options := append(slices.Clone(s.Options), fmt.Sprintf("ListenAddress=127.0.0.1:%d", s.Port),
		"VersionAddendum="+s.token(), "HostKey=/suite/host_key",
		"AuthorizedKeysFile=/suite/user_key.pub", "UseDNS=no")
	if s.serviceOption {
		options = append(options, "PerSourcePenalties=no") // since the same OpenSSH
	}
	argv := []string{"/usr/sbin/sshd", "-D"}
	for _, o := range options {
		argv = append(argv, "-o", o)
	}
	return argv, nil
}
