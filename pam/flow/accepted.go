package flow

import "latchkey/pam/sshkey"

// acceptedKeys are the keys that sshd accepted in this connection: the user has proven to have
// each of them. Every sshd sets SSH_AUTH_INFO_0 before it authenticates, if only to nothing. In
// other programs the variable is of somebody else's making, so there it says nothing, whatever
// the PAM service is called: anyone may call one "sshd".
func (r Request) acceptedKeys() []sshkey.Key {
	if !r.BySSHD {
		return nil
	}
	return sshkey.Accepted(r.AuthInfo)
}
