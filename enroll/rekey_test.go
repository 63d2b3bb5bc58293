package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// FAULTS 20
func TestRekeyKilledAtAnySystemCallLeavesUsersWhoCanLogIn(t *testing.T) {
	exe, root := underRoot(t)
	runs(t, exe, "add", "totp", "--label", "phone", "--yes")
	kills := 0
	for _, call := range changing {
		for n := 1; killedAt(t, exe, call, n, []string{"rekey"}); n++ {
			kills++
			if after := runs(t, exe, "status"); !strings.HasPrefix(after, "phone ") {
				t.Fatalf("killed at %s number %d: got %s", call, n, after)
			}
			runs(t, exe, "codes", "--yes") // another change meanwhile
		}
	}
	if kills < 10 {
		t.Errorf("only %d kills: the injection does not work", kills)
	}
	runs(t, exe, "rekey")
	privateAndWhole(t, root)
	if key, err := os.ReadFile(root + "/var/lib/latchkey/key"); err != nil ||
		bytes.Count(key, []byte("\n")) != 1 {
		t.Errorf("the key file: got %d bytes, %v; want one key", len(key), err)
	}
}

func TestRekeySaysWhatItDid(t *testing.T) {
	exe, root := underRoot(t)
	for _, user := range []string{"root", "daemon", "bin"} {
		runs(t, exe, "--user", user, "add", "totp", "--yes")
	}
	if out := runs(t, exe, "rekey"); out != "rekeyed: 3 records sealed with a new host key; "+
		"computers of 0 users are no longer trusted\n" {
		t.Errorf("got %s", out)
	}
	record := root + "/etc/latchkey/users/bin"
	if err := os.WriteFile(record, []byte("mac = \"\"\nversion = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said struct {
		Changed  bool
		Records  int
		Trusting int      `json:"users_with_trusted_computers"`
		Foreign  []string `json:"unreadable"`
	}
	if err := json.Unmarshal([]byte(runs(t, exe, "rekey", "--json")), &said); err != nil ||
		!said.Changed || said.Records != 2 || len(said.Foreign) != 1 || said.Foreign[0] != "bin" {
		t.Errorf("got %+v, %v; want 2 records, and bin unreadable", said, err)
	}
}

func TestRekeyIsRefusedInAFleet(t *testing.T) {
	exe, root := underRoot(t)
	runs(t, exe, "add", "totp", "--yes")
	before, err := os.ReadFile(root + "/var/lib/latchkey/key")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/etc/latchkey/fleet.toml", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, "rekey").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this host is in a fleet") {
		t.Errorf("got %v: %s", err, out)
	}
	if after, err := os.ReadFile(root + "/var/lib/latchkey/key"); err != nil ||
		!bytes.Equal(before, after) {
		t.Errorf("the key was changed (%v)", err)
	}
}
