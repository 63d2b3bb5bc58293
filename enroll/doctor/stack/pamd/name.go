package pamd

import (
	"path"
	"strings"
)

// ServiceName is the name by which PAM knows a service: pam_start(3) takes off a folder and writes
// the rest in small letters.
func ServiceName(given string) string { return strings.ToLower(path.Base(given)) }

// Fallback is the service whose lines PAM takes where another has none. A program that has this
// name for its own service gets the lines twice, one after the other.
const Fallback = "other"

// RenameFallback is what to do about an sshd that has this name.
const RenameFallback = "write PAMServiceName sshd into sshd_config, or another name that has a " +
	"file in /etc/pam.d"
