package service

import (
	"crypto/tls"
	"crypto/x509"

	"latchkey/pam/fleet/health"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// healthOf tells a host of this service, and what the fleet says of the host.
func healthOf(c *Call) (store.Reply, error) {
	return c.Once(func(t *store.Txn, q wire.Question) (any, error) {
		var h hosts.Host
		if _, err := t.Load(store.HostKey(q.Host), &h); err != nil {
			return nil, err
		}
		is, err := statusOf(t, h)
		if err != nil {
			return nil, err
		}
		out := c.service.health(t)
		out.Host, out.VerifyKey = h.Name, is.VerifyKey
		for _, r := range hosts.Roles {
			if h.May(r, c.service.EnrollHosts) {
				out.Roles = append(out.Roles, string(r))
			}
		}
		out.Epoch = c.service.node.Epoch()
		// Every node is asked, so only for a host that may ask, and few at a time.
		usage, err := c.service.store.Etcd().Usage(c.ctx)
		if out.Bytes, out.Full = usage.Bytes, usage.Full; err != nil {
			out.Bytes = -1
		}
		return out, nil
	})
}

func (s *Service) health(t *store.Txn) health.Health {
	h := health.Health{Service: s.Name, At: t.Now, Quota: s.Quota,
		Certificates: s.certificates()}
	h.Offset, h.Peers = s.node.Offset()
	return h
}

// certificates are those of the service, to hosts and to etcd. One that cannot be read is left
// out: without it nothing would have been asked.
func (s *Service) certificates() (all []health.Certificate) {
	add := func(of string, pair *tls.Certificate, err error) {
		if err != nil || pair == nil || len(pair.Certificate) == 0 {
			return
		}
		if leaf, err := x509.ParseCertificate(pair.Certificate[0]); err == nil {
			all = append(all, health.Certificate{Of: of, Until: leaf.NotAfter.UTC()})
		}
	}
	own, err := s.Certificate()
	add("of "+s.Name+" for hosts", own, err)
	if etcd := s.Config.Store.TLS; etcd != nil && etcd.GetClientCertificate != nil {
		pair, err := etcd.GetClientCertificate(
			&tls.CertificateRequestInfo{Version: tls.VersionTLS13})
		add("of "+s.Name+" for etcd", pair, err)
	} else if etcd != nil && len(etcd.Certificates) > 0 {
		add("of "+s.Name+" for etcd", &etcd.Certificates[0], nil)
	}
	return all
}
