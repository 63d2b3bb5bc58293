package flow

import "latchkey/pam/sshkey"

// acceptedKeys are the keys that sshd accepted in this connection: the user has proven possession
// of each of them. Every sshd sets SSH_AUTH_INFO_0 before it authenticates, if only to nothing. In
// other programs someone else may have set the variable, so it says nothing there, even if the PAM
// service is called "sshd": anyone can use that name.
func (r Request) acceptedKeys() []sshkey.Key {
	if !r.BySSHD {
		return nil
	}
	return sshkey.Accepted(r.AuthInfo)
}
