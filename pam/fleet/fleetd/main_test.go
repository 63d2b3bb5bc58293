package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/fleet/cluster"
)

// machine is a root folder with fleetd.toml and certificates.
type machine struct {
	testing.TB
	root testroot.Root
	addr string
}

func (m *machine) path(name string) string { return filepath.Join(string(m.root), name) }

func (m *machine) copy(from, to string, mode os.FileMode) {
	m.Helper()
	text, err := os.ReadFile(from)
	testroot.Must(m, err)
	m.write(to, text, mode)
}

func (m *machine) write(to string, text []byte, mode os.FileMode) {
	m.Helper()
	testroot.Must(m, os.WriteFile(m.path(to), text, mode))
	testroot.Must(m, os.Chmod(m.path(to), mode))
}

// newMachine is a machine beside an etcd.
func newMachine(t testing.TB, c *cluster.Cluster, name string) *machine {
	t.Helper()
	m := &machine{TB: t, root: testroot.New(t)}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	m.addr = listen.Addr().String()
	listen.Close()
	testroot.Must(t, os.Mkdir(m.path(stateDir), 0o700))
	authority, err := certs.New("fleet")
	testroot.Must(t, err)
	pair, err := authority.Issue(certs.Wanted{Name: name, Hosts: []string{"127.0.0.1"}})
	testroot.Must(t, err)
	m.write("etc/latchkey/fleet-ca.pem", authority.PEM, 0o644)
	m.write(stateDir+"/tls.crt", pair.Certificate, 0o644)
	m.write(stateDir+"/tls.key", pair.Key, 0o600)
	m.copy(c.CA, "etc/latchkey/etcd-ca.pem", 0o644)
	m.copy(c.Cert, stateDir+"/etcd.crt", 0o644)
	m.copy(c.Key, stateDir+"/etcd.key", 0o600)
	m.write("etc/latchkey/fleetd.toml", fmt.Appendf(nil, `name = %q
listen = %q
services = ["https://%s"]
etcd = ["%s"]
etcd_ca = "/etc/latchkey/etcd-ca.pem"
etcd_cert = "/var/lib/latchkey-fleetd/etcd.crt"
etcd_key = "/var/lib/latchkey-fleetd/etcd.key"
`, name, m.addr, m.addr, strings.Join(c.Endpoints(), `", "`)), 0o644)
	return m
}

// run runs a command in this process.
func (m *machine) run(args ...string) (out, errs string, status int) {
	m.Helper()
	var o, e bytes.Buffer
	p := program{root: string(m.root), in: strings.NewReader(""), out: &o, err: &e}
	status = p.report(p.run(args))
	return o.String(), e.String(), status
}

// must runs a command that succeeds.
func (m *machine) must(args ...string) string {
	m.Helper()
	out, errs, status := m.run(args...)
	if status != 0 {
		m.Fatalf("%v: got status %d: %s", args, status, errs)
	}
	return out
}

func startCluster(t testing.TB) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.TempDir(), cluster.Options{})
	testroot.Must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// oneNode starts in a third of the time.
func oneNode(t *testing.T) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.TempDir(), cluster.Options{Nodes: 1})
	testroot.Must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestAFleetIsMadeJoinedAndChangedByCommands(t *testing.T) {
	c := startCluster(t)
	first, second := newMachine(t, c, "mfa1"), newMachine(t, c, "mfa2")
	first.must("init")
	if _, errs, status := second.run("init"); status != 1 || !strings.Contains(errs, "--from") {
		t.Errorf("a second init: got %d, %s; want a hint to --from", status, errs)
	}
	second.write("secret", []byte(first.must("export-secret")), 0o600)
	second.must("init", "--from", second.path("secret"))
	ticket := strings.TrimSpace(first.must("host", "invite", "web1", "--role", "verify,enroll",
		"--group", "bastion"))
	if got, err := settings.ParseTicket(ticket); err != nil || got.Host != "web1" {
		t.Errorf("the ticket: got %+v, %v", got, err)
	}
	var all []map[string]any
	testroot.Must(t, json.Unmarshal([]byte(second.must("host", "list", "--json")), &all))
	if len(all) != 1 || all[0]["status"] != "invited" || strings.Contains(fmt.Sprint(all), "hash") {
		t.Errorf("host list: got %v", all)
	}
	second.must("host", "role", "web1", "enroll,admin,admin")
	if out := first.must("host", "list"); !strings.Contains(out, " enroll,admin ") {
		t.Errorf("host list: got %s, want the roles enroll and admin", out)
	}
	if _, errs, status := second.run("host", "role", "web2", "verify"); status != 1 ||
		!strings.Contains(errs, `no host "web2"`) {
		t.Errorf("a role for no host: got %d, %s", status, errs)
	}
	second.must("host", "revoke", "web1")
	if _, errs, status := second.run("host", "role", "web1", "verify"); status != 1 ||
		!strings.Contains(errs, "revoked") {
		t.Errorf("a role for a host that was revoked: got %d, %s", status, errs)
	}
	if _, errs, status := first.run("init"); status != 1 || !strings.Contains(errs, "already") {
		t.Errorf("init where there is a fleet: got %d, %s", status, errs)
	}
	if out := first.must("host", "list"); !strings.Contains(out, "revoked") {
		t.Errorf("host list: got %s", out)
	}
	first.write("new.toml", []byte("[limits]\ntries = 2\n"), 0o644)
	first.must("policy", first.path("new.toml"))
	if out := second.must("policy"); out != "[limits]\ntries = 2\n" {
		t.Errorf("policy: got %q", out)
	}
	first.write("new.toml", []byte("[limits]\nttries = 2\n"), 0o644)
	if _, errs, status := first.run("policy", first.path("new.toml")); status != 1 ||
		!strings.Contains(errs, "new.toml:2") {
		t.Errorf("a wrong policy: got %d, %s", status, errs)
	}
}

func TestRotationHasTwoKeysUntilItIsFinished(t *testing.T) {
	m := newMachine(t, startCluster(t), "mfa1")
	m.must("init")
	keys := func(args ...string) []string {
		t.Helper()
		var got struct {
			Keys []string `json:"verify_key"`
		}
		testroot.Must(t, json.Unmarshal([]byte(m.must(args...)), &got))
		return got.Keys
	}
	if _, _, status := m.run("rotate", "--finish"); status != 1 {
		t.Error("finished a rotation that was not begun")
	}
	begun := keys("rotate", "--json")
	if again := keys("rotate", "--json"); len(begun) != 2 || fmt.Sprint(again) != fmt.Sprint(begun) {
		t.Errorf("got %v and %v; want the same two keys", begun, again)
	}
	if after := keys("rotate", "--finish", "--json"); len(after) != 1 || after[0] != begun[1] {
		t.Errorf("got %v; want the second of %v", after, begun)
	}
}

func TestServingProcessAnswersAndEndsOnSIGTERM(t *testing.T) {
	m := newMachine(t, startCluster(t), "mfa1")
	binary := m.build()
	m.must("init")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serve := exec.CommandContext(ctx, binary, "serve")
	ready := m.path("notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: ready, Net: "unixgram"})
	testroot.Must(t, err)
	defer socket.Close()
	serve.Env, serve.Stderr = []string{"NOTIFY_SOCKET=" + ready}, t.Output()
	testroot.Must(t, serve.Start())
	testroot.Must(t, socket.SetReadDeadline(time.Now().Add(time.Minute)))
	text := make([]byte, 64)
	n, err := socket.Read(text)
	if err != nil || string(text[:n]) != "READY=1" {
		t.Fatalf("got %q, %v; want READY=1", text[:n], err)
	}
	key, err := secret.Load(m.path(stateDir + "/fleet.key"))
	testroot.Must(t, err)
	ticket, err := settings.ParseTicket(m.must("host", "invite", "web1"))
	testroot.Must(t, err)
	got, err := testfleet.Join(t, m.addr, key, ticket)
	if err != nil || got.Fault != "" {
		t.Errorf("join: got %+v, %v", got, err)
	}
	if out := m.must("status"); !strings.Contains(out, "1 active") || !strings.Contains(out, "mfa1") {
		t.Errorf("status: got %s", out)
	}
	testroot.Must(t, serve.Process.Signal(syscall.SIGTERM))
	if err := serve.Wait(); err != nil {
		t.Errorf("got %v; want exit status 0", err)
	}
}

// build builds the program for this machine.
func (m *machine) build() (binary string) {
	m.Helper()
	binary = m.path("latchkey-fleetd")
	build := exec.Command("go", "build", "-ldflags", "-X main.root="+string(m.root), "-o", binary,
		".")
	if out, err := build.CombinedOutput(); err != nil {
		m.Fatalf("%v: %s", err, out)
	}
	return binary
}

// Administrators are root; what they make must be the service's.
func TestCommandsOfRootRunAsTheOwnerOfTheFolder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	const owner = 65534
	m := newMachine(t, startCluster(t), "mfa1")
	dir, err := os.MkdirTemp("", "fleetd")
	testroot.Must(t, err)
	defer os.RemoveAll(dir)
	testroot.Must(t, os.Chmod(dir, 0o755))
	testroot.Must(t, os.CopyFS(dir+"/root", os.DirFS(string(m.root))))
	m.root = testroot.Root(dir + "/root")
	testroot.Must(t, filepath.WalkDir(m.path(stateDir),
		func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, owner, owner))
		}))
	testroot.Must(t, os.Chmod(m.path(stateDir), 0o700))
	for _, name := range []string{"tls.key", "etcd.key"} {
		testroot.Must(t, os.Chmod(m.path(stateDir+"/"+name), 0o600))
	}
	out, err := exec.Command(m.build(), "init").CombinedOutput()
	if err != nil {
		t.Fatalf("init: %v: %s", err, out)
	}
	info, err := os.Stat(m.path(stateDir + "/fleet.key"))
	testroot.Must(t, err)
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != owner || info.Mode().Perm() != 0o600 {
		t.Errorf("got a secret of uid %d, mode %v; want %d, 0600", uid, info.Mode(), owner)
	}
}

func TestCommandsThatMeanNothingAreMisuse(t *testing.T) {
	m := &machine{TB: t, root: testroot.New(t)}
	for _, args := range []string{"x", "host", "host invite", "host invite a b", "status now",
		"rotate --from x", "host role a", "host role a root", "host role a ,",
		"host role a verify b", "host invite a --role root", "host invite a --group a/b",
		"host invite a --for 0s", "host invite a --for 8760h", "serve --json"} {
		if _, errs, status := m.run(strings.Fields(args)...); status != exitUsage ||
			!strings.Contains(errs, "hint:") {
			t.Errorf("%s: got status %d, %s; want %d", args, status, errs, exitUsage)
		}
	}
	for _, args := range []string{"", "--help", "host --help", "--version"} {
		if out, _, status := m.run(strings.Fields(args)...); status != 0 || out == "" {
			t.Errorf("%q: got status %d, %q", args, status, out)
		}
	}
}

func TestWithoutSettingsOrSecretTheErrorSaysWhatIsMissing(t *testing.T) {
	m := &machine{TB: t, root: testroot.New(t)}
	if _, errs, status := m.run("status"); status != 1 || !strings.Contains(errs, "fleetd.toml") {
		t.Errorf("no settings: got %d, %s", status, errs)
	}
	m.write("etc/latchkey/fleetd.toml", []byte("name = \"mfa1\"\nx = 1\n"), 0o644)
	if _, errs, status := m.run("status"); status != 1 ||
		!strings.Contains(errs, "/etc/latchkey/fleetd.toml:2: ") {
		t.Errorf("a mistake: got %d, %s", status, errs)
	}
	m.write("etc/latchkey/fleetd.toml", []byte("name = \"mfa1\"\nservices = [\"https://a\"]\n"+
		"etcd = [\"http://127.0.0.1:1\"]\n"), 0o644)
	testroot.Must(t, os.Mkdir(m.path(stateDir), 0o700))
	if _, errs, status := m.run("status"); status != 1 || !strings.Contains(errs, "init") {
		t.Errorf("no secret: got %d, %s", status, errs)
	}
	if _, errs, status := m.run("accept-restore"); status != 1 || !strings.Contains(errs, "--yes") {
		t.Errorf("accept-restore without --yes: got %d, %s", status, errs)
	}
}
