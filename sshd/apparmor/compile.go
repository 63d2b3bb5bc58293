package apparmor

import "latchkey/sshd/suite"

// Compile has a host's parser compile profiles for a kernel that mediates all they have rules for:
// files of the host's, or a text. The host needs the package apparmor.
func Compile(h *suite.Host, text string, files ...string) (Profiles, error) {
	argv := []string{"/usr/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache", "--quiet",
		"--kernel-features=/etc/apparmor.d/abi/3.0", "--stdout"}
	out, err := h.Exec(text, append(argv, files...)...)
	if err != nil {
		return nil, err
	}
	return Compiled([]byte(out))
}
