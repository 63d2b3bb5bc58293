package packaging_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tampering is what someone may do to a repository whose server they can write to, without its key.
type tampering struct {
	does string // with the repository as working directory
	says string // by what apt refuses it, a regular expression
}

var tamperings = map[string]tampering{
	"a package is changed": {does: `
		f=$(echo pool/main/latchkey_*_amd64.deb)
		printf changed | dd of="$f" bs=1 seek=5000 conv=notrunc`, says: "Hash Sum mismatch"},
	"a package is longer": {does: `
		for f in pool/main/latchkey_*_amd64.deb; do echo >>"$f"; done`,
		says: "mismatch|unexpected size"},
	"a package has another's name": {does: `
		cp pool/main/latchkey-fleetd_*_amd64.deb pool/main/latchkey_*_amd64.deb`,
		says: "mismatch|unexpected size"},
	"Packages is changed": {does: `
		sed -i s/factor/faktor/ $lists/Packages
		xz -fk $lists/Packages`, says: "mismatch"},
	"Packages names a changed package": {does: `
		repack pool/main/latchkey_*_amd64.deb
		apt-ftparchive packages pool >$lists/Packages
		xz -fk $lists/Packages`, says: "mismatch|unexpected size"},
	"Packages and Release name a changed package": {does: `
		repack pool/main/latchkey_*_amd64.deb
		apt-ftparchive packages pool >$lists/Packages
		xz -fk $lists/Packages
		apt-ftparchive release dists/stable >sums
		sed '/^SHA256/,$d' $signed >new
		sed -n '/^SHA256/,$p' sums >>new
		sed -n '/BEGIN PGP SIGNATURE/,$p' $signed >>new
		mv new $signed`, says: "signature|not signed"},
	"a line of Release is changed": {does: `
		sed -i 's/^Label: .*/Label: other/' $signed`, says: "signature|not signed"},
	"another key signed": {does: signedByAnother, says: "signature|not signed"},
	"another key signed and is served": {does: signedByAnother + `
		gpg --export --armor >latchkey.asc`, says: "signature|not signed"},
	"no one signed": {does: `
		rm $signed dists/stable/Release.gpg`, says: "not signed"},
	"the signature is cut out": {does: `
		cp dists/stable/Release $signed
		rm dists/stable/Release.gpg`, says: "signed"},
	"only a changed Release has the signature beside it": {does: `
		rm $signed
		sed -i 's/^Label: .*/Label: other/' dists/stable/Release`, says: "signature|not signed"},
}

// signedByAnother signs the repository again, with a key of the same name.
const signedByAnother = `
	export GNUPGHOME="$(mktemp -d)"
	trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
	gpg --batch --passphrase '' --quick-generate-key \
		'latchkey, a key for trying the repository' ed25519 sign never
	gpg --batch --yes --clearsign -o $signed dists/stable/Release
	gpg --batch --yes --armor --detach-sign -o dists/stable/Release.gpg dists/stable/Release`

// prelude is what the shell is told first: where things are, and how to change a package.
const prelude = `
	lists=dists/stable/main/binary-amd64
	signed=dists/stable/InRelease
	repack() { # makes another package of one
		dpkg-deb -R "$1" changed
		echo changed >changed/usr/bin/enroll
		dpkg-deb --root-owner-group -Zgzip -z1 -b changed "$1"
	}
`

func TestAptRefusesARepositoryThatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, done := range tamperings {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			cmd := exec.Command("sh", "-ec", prelude+done.does)
			cmd.Dir = r.dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, output, err := r.packages()
			if err == nil || slices.ContainsFunc(got, isHosts) {
				t.Fatalf("got %q, %v, want a refusal:\n%s", got, err, output)
			}
			if !regexp.MustCompile(done.says).MatchString(output) {
				t.Errorf("apt does not say %q:\n%s", done.says, output)
			}
		})
	}
}

// isHosts reports whether a file is the package that is tampered with.
func isHosts(file string) bool {
	return strings.HasPrefix(filepath.Base(file), "latchkey_")
}
