// Package health is what a service of a fleet says of itself and of the host that asks: for
// enroll doctor and enroll fleet status, which find beforehand what would stop logins.
package health

import "time"

// Op is the operation by which any host of the fleet asks.
const Op = "health"

// Health is the answer; its JSON is an interface.
type Health struct {
	Service string        `json:"service"` // its name
	At      time.Time     `json:"at"`      // by its clock
	Epoch   uint64        `json:"epoch"`
	Offset  time.Duration `json:"clock_offset_ns"` // from the median of the other services
	Peers   bool          `json:"clock_compared"`  // there are others
	Bytes   int64         `json:"etcd_bytes"`      // of etcd's database; -1: not known
	Quota   int64         `json:"etcd_quota_bytes"`
	Full    bool          `json:"etcd_full"` // etcd takes nothing more
	// Certificates are those that the service presents.
	Certificates []Certificate `json:"certificates"`
	VerifyKey    []string      `json:"verify_key"` // that the fleet signs with now or next
	Host         string        `json:"host"`
	Roles        []string      `json:"roles"` // of the host
}

// Certificate is one that ends.
type Certificate struct {
	Of    string    `json:"of"`
	Until time.Time `json:"until"`
}
