package flow

import "testing"

const acceptedKey = "publickey ssh-ed25519 " +
	"AAAAC3NzaC1lZDI1NTE5AAAAIDPQXmEVMVLmeFRyafKMVWgPDkv8/uRBTwmcEDatZzMD\n"

func TestOnlySSHDIsBelievedAboutAcceptedKeys(t *testing.T) {
	for _, service := range []string{"sshd", "sshd-internal", "su", "sudo", "login", ""} {
		for bySSHD, want := range map[bool]int{true: 1, false: 0} {
			r := Request{Service: service, BySSHD: bySSHD, AuthInfo: "password\n" + acceptedKey}
			if got := len(r.acceptedKeys()); got != want {
				t.Errorf("service %q, by sshd %v: got %d keys, want %d", service, bySSHD, got,
					want)
			}
		}
	}
}
