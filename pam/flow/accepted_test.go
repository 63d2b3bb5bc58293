package flow

import "testing"

// acceptedKey is a line of SSH_AUTH_INFO_0.
const acceptedKey = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDPQXmEVMVLmeFRyafKMVWgPDkv8/uRBTwmcEDatZzMD\n"

func TestOnlySSHDsServiceIsBelievedAboutAcceptedKeys(t *testing.T) {
	for service, want := range map[string]int{
		"sshd": 1, "su": 0, "su-l": 0, "sudo": 0, "sudo-i": 0, "login": 0, "": 0, "SSHD": 0, "sshd ": 0,
		"sshd\n": 0, "other": 0, "enroll": 0, "sshd-x": 0,
	} {
		r := Request{Service: service, AuthInfo: "password\n" + acceptedKey}
		if got := len(r.acceptedKeys()); got != want {
			t.Errorf("service %q: got %d keys, want %d", service, got, want)
		}
	}
}
