package flow

import "latchkey/pam/sshkey"

// sshdService is the PAM service by which sshd logs users in. Every sshd sets SSH_AUTH_INFO_0
// before it authenticates, if only to nothing. Other programs do not, so there the variable is of
// somebody else's making.
const sshdService = "sshd"

// acceptedKeys are the keys that sshd accepted in this connection: the user has proven to have
// each of them. A login that is not sshd's has none, whatever the PAM environment says.
func (r Request) acceptedKeys() []sshkey.Key {
	if r.Service != sshdService {
		return nil
	}
	return sshkey.Accepted(r.AuthInfo)
}
