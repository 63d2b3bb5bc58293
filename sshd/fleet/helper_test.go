package fleet_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/flow/prompt"
	"latchkey/sshd/fleet"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

const helper = "/usr/libexec/latchkey/latchkey-fleet"

// lies are what a helper that was replaced prints. Each answers every question.
func lies(t *testing.T, f *fleet.Fleet, h *fleet.Host, u *suite.User) map[string]string {
	t.Helper()
	line := func(v any) string {
		text, err := json.Marshal(v)
		must(t, err)
		return "printf '%s\\n' '" + string(text) + "'"
	}
	body := func(b []byte) string {
		return line(map[string]string{"body": base64.StdEncoding.EncodeToString(b)})
	}
	done, err := json.Marshal(wire.Answer{Version: wire.Version, Epoch: 1, At: time.Now(),
		Node: "mfa1", Body: json.RawMessage(`{"Result":"accepted","Method":"totp"}`)})
	must(t, err)
	return map[string]string{
		"ok":                             "echo ok",
		"nothing":                        "exit 0",
		"a failure":                      "exit 1",
		"reached":                        `echo '{"reached":true}'`,
		"an answer that is not sealed":   body(done),
		"an answer that is empty":        line(map[string]string{"body": ""}),
		"an answer to another question":  body(accepted(t, f, h, u)),
		"an end that there is not":       line(map[string]string{"end": "ok"}),
		"a hundred megabytes":            "head -c 100000000 /dev/zero",
		"a line without an end":          "printf '{\"body\":\"'; head -c 1000000 /dev/zero | tr '\\0' A",
		"unknown":                        line(map[string]string{"end": "unknown"}),
		"unreachable, where that denies": line(map[string]string{"end": "unreachable"}),
	}
}

// accepted is a service's own answer that a code is right, to a question of this very host.
func accepted(t *testing.T, f *fleet.Fleet, h *fleet.Host, u *suite.User) []byte {
	t.Helper()
	q, body := testfleet.Guess(u.Name, u.Code())
	sealed, err := h.Seal(q, body)
	must(t, err)
	answer, err := h.Carry(t.Context(), f.Services[0].URL(), sealed.Request)
	must(t, err)
	if got, err := sealed.Open(answer, h.VerifyKey...); word(got, err) != "accepted" {
		t.Fatalf("got %+v, %v, want accepted", got, err)
	}
	return answer
}

// The helper has no rights and is not believed: it cannot make a wrong code, or a right one, count.
func TestAReplacedHelperLetsNoOneIn(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1})
	h := f.Hosts[0]
	users, err := f.Users(1)
	must(t, err)
	u := users[0]
	all := lies(t, f, h, u)
	_, err = h.Exec("", "/bin/mv", helper, "/root/helper")
	must(t, err)
	for name, script := range all {
		_, err := h.Exec("#!/bin/sh\n"+script+"\n", "/usr/bin/install", "-m", "755", "/dev/stdin",
			helper)
		must(t, err)
		if shown, in := see(t, h, u.Name, u.CodeAt(1), u.CodeAt(1)); in {
			t.Errorf("%s: got in\n%s", name, shown)
		}
	}
	_, err = h.Exec("", "/bin/mv", "/root/helper", helper)
	must(t, err)
	if shown, in := see(t, h, u.Name, u.CodeAt(1)); !in {
		t.Errorf("with the real helper: got\n%s", shown)
	}
}

func TestAFrozenServiceOrOneThatDropsEverythingCostsLittleOrDenies(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1})
	h := f.Hosts[0]
	users, err := f.Users(4)
	must(t, err)
	none := once(h, users[0], users[0].Code(), func() {})
	defer none.Close()
	must(t, f.Services[0].Signal("STOP"))
	frozen := once(h, users[1], users[1].Code(), func() {})
	defer frozen.Close()
	must(t, f.Services[0].Signal("CONT"))
	t.Logf("login: %v; with the first service frozen: %v", none.Whole.Round(time.Millisecond),
		frozen.Whole.Round(time.Millisecond))
	if !none.In() || !frozen.In() {
		t.Errorf("got %v; with the first service frozen: %v", none.Err, frozen.Err)
	}
	for _, s := range f.Services {
		must(t, s.Kill())
		drop(t, s.IP)
	}
	shown, in := see(t, h, users[2].Name, users[2].Code())
	if in {
		t.Errorf("all packets dropped: got in\n%s", shown)
	}
	contains(t, "all packets dropped", shown, prompt.Unreachable)
	must(t, poll.Until("the end of the login's processes", time.Minute, func() error {
		return nothingLeft(h)
	}))
}

// nothingLeft reports a process of a login that is still there.
func nothingLeft(h *fleet.Host) error {
	all, err := h.Processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		if strings.HasPrefix(p.Name, "latchkey-") {
			return fmt.Errorf("%s is there", p.Name)
		}
	}
	return nil
}

// drop makes an address one that answers no packet, as behind a firewall: its listener takes
// nothing, and its queue is full.
func drop(t *testing.T, ip string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	must(t, syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	address := &syscall.SockaddrInet4{Port: 7443}
	copy(address.Addr[:], net.ParseIP(ip).To4())
	must(t, syscall.Bind(fd, address))
	must(t, syscall.Listen(fd, 0))
	for range 10 {
		conn, err := net.DialTimeout("tcp", ip+":7443", 2*time.Second)
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	must(t, errors.New("the queue is not full"))
}

// A host whose disk is stolen: it has no secret of anyone's, is no other host, and is out as soon
// as it is revoked, or has guessed too often.
func TestAStolenHostHasNoSecretsAndIsSoonOut(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1, Service: "host_limit = \"5/10m\"\n"})
	h := f.Hosts[0]
	users, err := f.Users(2)
	must(t, err)
	u, other := users[0], users[1]
	if shown, in := see(t, h, u.Name, u.Code()); !in {
		t.Fatalf("got\n%s", shown)
	}
	for _, secret := range []string{u.Secret, other.Secret} {
		out, err := h.Script("grep -rls " + secret + " /etc /var /home /root; true")
		must(t, err)
		if out != "" {
			t.Errorf("a user's secret is in %q", out)
		}
	}
	if out, err := h.Script("ls -A /etc/latchkey/users"); err != nil || out != "" {
		t.Errorf("records of the host: got %q, %v, want none", out, err)
	}
	stolen := *h.Asker
	copied := *h.Settings
	copied.Host = "web2"
	stolen.Settings = &copied
	_, err = f.Join("web2", "verify")
	must(t, err)
	if got := guess(&stolen, other.Name, other.Code()); got != "revoked" && got != "forged" &&
		got != "no answer" {
		t.Errorf("a question signed for another host: got %s", got)
	}
	for range 5 {
		guess(h.Asker, other.Name, other.WrongCode())
	}
	if got := guess(h.Asker, other.Name, other.Code()); got != "quarantine" {
		t.Errorf("after 5 wrong codes: got %s, want quarantine", got)
	}
	shown, in := see(t, h, other.Name, other.Code())
	if in {
		t.Errorf("in quarantine: got in\n%s", shown)
	}
	contains(t, "in quarantine", shown, prompt.NotAllowed)
	contains(t, "the log", lastLine(t, h, other.Name, 1), "reason=fleet", "quarantine")
	_, err = f.Services[1].Command("", "host", "release", h.Name)
	must(t, err)
	if got := guess(h.Asker, other.Name, other.Code()); got != "accepted" {
		t.Errorf("after the release: got %s, want accepted", got)
	}
	_, err = f.Services[1].Command("", "host", "revoke", h.Name)
	must(t, err)
	if got := guess(h.Asker, other.Name, other.CodeAt(1)); got != "revoked" {
		t.Errorf("the next guess after the revocation: got %s, want revoked", got)
	}
}
