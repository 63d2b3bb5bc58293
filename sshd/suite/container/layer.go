package container

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strings"
)

// installs installs packages inside, and leaves behind nothing else. The packages start no service:
// it would listen on this machine's addresses.
const installs = `set -e
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@" </dev/null
apt-get clean
rm /usr/sbin/policy-rc.d
rm -rf /var/lib/apt/lists/*`

// Layer gives an image with more of Debian's packages, making it unless the engine has it already.
// It costs what the packages do, not another base.
func (e *Engine) Layer(base string, packages []string, progress io.Writer) (string, error) {
	recipe := sha256.Sum256([]byte(base + " " + strings.Join(packages, ",")))
	name := fmt.Sprintf("localhost/latchkey-more:%x", recipe[:16])
	if _, err := e.Run(nil, "image", "inspect", name); err == nil {
		return name, nil
	}
	fmt.Fprintf(progress, "adding %s to %s, once\n", strings.Join(packages, ", "), base)
	// Another package's tests may be making the same image.
	temporary := fmt.Sprintf("latchkey-more-%x-%d", recipe[:16], os.Getpid())
	defer e.Run(nil, "rm", "--force", temporary)
	args := append([]string{"run", "--network=host", "--name", temporary}, Limits...)
	args = append(args, base, "/bin/sh", "-c", installs, "sh")
	if _, err := e.Run(nil, append(args, packages...)...); err != nil {
		return "", fmt.Errorf("add packages to %s: %s", base, LastLines(err.Error(), 5))
	}
	_, err := e.Run(nil, "commit", temporary, name)
	return name, err
}
