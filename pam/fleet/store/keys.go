package store

import "strings"

// prefix is before every key in etcd. Its number is that of the format.
const prefix = "/latchkey/1/"

// Keys below prefix.
const (
	KeyEpoch    = "epoch"    // the fleet's generation
	KeyPolicy   = "policy"   // latchkey.toml of the fleet
	KeySends    = "sends"    // codes sent to phones by the whole fleet
	KeySigning  = "signing"  // what answers are signed with
	KeySetBack  = "setback"  // that a service has noticed a restored backup
	KeyServices = "service/" // a key for each service
	KeyHosts    = "host/"    // a key for each host
	// a key for each host that wrong codes came from
	KeyHostLimits = "hostlimit/"
	users         = "user/"
	gone          = "gone/" // a key for each account that was deleted
)

// HostKey and HostLimitKey are those of a host, ServiceKey is that of a service.
func HostKey(id string) string      { return KeyHosts + id }
func HostLimitKey(id string) string { return KeyHostLimits + id }
func ServiceKey(name string) string { return KeyServices + name }

// recordKey and stateKey are those of a user. No name has a slash (record.CheckName).
func recordKey(name string) string { return users + name + "/record" }
func stateKey(name string) string  { return users + name + "/state" }

// GoneKey is that of a name whose account was deleted.
func GoneKey(name string) string { return gone + name }

// UserKey is one of a user's keys that only its user knows the meaning of.
func UserKey(name, what string) string { return users + name + "/" + what }

// userOf returns whose key it is and which one.
func userOf(key string) (name, what string) {
	name, what, _ = strings.Cut(strings.TrimPrefix(key, users), "/")
	return name, what
}
