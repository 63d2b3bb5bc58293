package packaging_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fleetd is the package of a fleet's service.
func fleetd(arch string) string {
	return filepath.Join(built, "packages", "latchkey-fleetd_"+version+"-1_"+arch+".deb")
}

// fleetdFiles are mode, owner and path of everything but folders that the service's package has,
// below none of which there may be more.
var fleetdFiles = []string{
	"-rw-r--r-- root/root ./etc/apparmor.d/usr.sbin.latchkey-fleetd",
	"-rw-r--r-- root/root ./usr/lib/systemd/system/latchkey-fleetd.service",
	"-rw-r--r-- root/root ./usr/lib/sysusers.d/latchkey-fleetd.conf",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/changelog.Debian.gz",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/changelog.gz",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/copyright",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/examples/README.md",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/examples/certificates.sh",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/examples/etcd-user.sh",
	"-rw-r--r-- root/root ./usr/share/doc/latchkey-fleetd/examples/machine.sh",
	"-rw-r--r-- root/root ./usr/share/lintian/overrides/latchkey-fleetd",
	"-rw-r--r-- root/root ./usr/share/man/man5/fleetd.toml.5.gz",
	"-rw-r--r-- root/root ./usr/share/man/man8/latchkey-fleetd.8.gz",
	"-rwxr-xr-x root/root ./usr/sbin/latchkey-fleetd",
}

// files lists what a deb has other than folders.
func files(t *testing.T, deb string) (listed []string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(run(t, "dpkg-deb", "-c", deb)), "\n") {
		if f := strings.Fields(line); f[0][0] != 'd' {
			listed = append(listed, f[0]+" "+f[1]+" "+f[5])
		}
	}
	slices.Sort(listed)
	return listed
}

func TestTheServicesPackageHasTheServiceAndNothingElse(t *testing.T) {
	for arch := range multiarch {
		got, want := files(t, fleetd(arch)), slices.Sorted(slices.Values(fleetdFiles))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %s\nwant %s", arch, strings.Join(got, "\n"),
				strings.Join(want, "\n"))
		}
		if depends := run(t, "dpkg-deb", "-f", fleetd(arch), "Depends"); depends != "passwd\n" {
			t.Errorf("%s: got depends on %q, want passwd", arch, depends)
		}
	}
}

// A host has the program that asks the services, and nothing of the services themselves.
func TestTheHostsPackageGainsOnlyTheHelper(t *testing.T) {
	for arch := range multiarch {
		var of []string
		for _, line := range files(t, deb(arch)) {
			path := strings.Fields(line)[2]
			if strings.Contains(filepath.Base(path), "fleet") &&
				!strings.HasPrefix(path, "./usr/share/doc/") {
				of = append(of, line)
			}
		}
		want := []string{
			"-rw-r--r-- root/root ./etc/apparmor.d/usr.libexec.latchkey.latchkey-fleet",
			"-rw-r--r-- root/root ./usr/share/man/man5/fleet.toml.5.gz",
			"-rwxr-xr-x root/root ./usr/libexec/latchkey/latchkey-fleet",
		}
		if !slices.Equal(of, want) {
			t.Errorf("%s: got %q, want %q", arch, of, want)
		}
	}
}

func TestTheServicesProgramIsStatic(t *testing.T) {
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", fleetd("amd64"), dir)
	out := run(t, "file", filepath.Join(dir, "usr/sbin/latchkey-fleetd"))
	if !strings.Contains(out, "statically linked") {
		t.Errorf("got %s, want a static program", out)
	}
}

// The sandbox is judged by systemd itself: 1.2 of 10 is left, for the network.
func TestTheUnitIsSoundAndLeavesTheServiceLittle(t *testing.T) {
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", fleetd("amd64"), dir)
	unit := filepath.Join(dir, "usr/lib/systemd/system/latchkey-fleetd.service")
	run(t, "systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
	run(t, "sed", "-i", "s,=/usr/sbin/,="+dir+"/usr/sbin/,", unit)
	run(t, "systemd-analyze", "--man=no", "verify", unit)
}

func TestTheRPMOfTheServiceMakesItsAccountOnceAndKeepsItsSecret(t *testing.T) {
	r := newRoot(t)
	for _, name := range []string{"chown", "chmod", "mkdir"} {
		must(t, os.Symlink("busybox", r.path("bin/"+name)))
	}
	must(t, os.WriteFile(r.path("etc/group"), []byte("latchkey-fleetd:x:998:\n"), 0o644))
	r.write("usr/sbin/useradd", "#!/bin/sh\necho \"$*\" >>/useradd.log\n"+
		"echo 'latchkey-fleetd:x:998:998::/:/usr/sbin/nologin' >>/etc/passwd\n")
	r.rpm("-i", "--nodeps", fleetdRPM(version))
	r.modes(map[string]os.FileMode{
		"usr/sbin/latchkey-fleetd": 0o755, "var/lib/latchkey-fleetd": 0o700 | os.ModeDir,
	})
	secret := r.path("var/lib/latchkey-fleetd/fleet.key")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	r.rpm("-U", "--nodeps", fleetdRPM(newer))
	if n := r.accounts(); n != 1 {
		t.Errorf("got the account made %d times, want once", n)
	}
	r.rpm("-e", "latchkey-fleetd")
	if _, err := os.Stat(r.path("usr/sbin/latchkey-fleetd")); !os.IsNotExist(err) {
		t.Errorf("got the program still there (%v)", err)
	}
	if text, err := os.ReadFile(secret); err != nil || string(text) != "secret" {
		t.Errorf("the fleet's secret: got %q, %v", text, err)
	}
}

func fleetdRPM(version string) string {
	return filepath.Join(built, "packages", "latchkey-fleetd-"+version+"-1.x86_64.rpm")
}
