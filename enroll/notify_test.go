package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/notify/event"
	"latchkey/pam/twilio/standin"
)

// listen has a program told of events, which keeps them with the ids that it runs as. It returns
// what waits for so many lines about events.
func (s *site) listen() (heard func(n int) []string) {
	s.t.Helper()
	for _, dir := range []string{"/opt", "/out"} {
		if err := os.MkdirAll(s.root+dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := os.Chmod(s.root+"/out", 0o1777); err != nil {
		s.t.Fatal(err)
	}
	put(s.t, s.root+"/opt/tell", fmt.Sprintf("#!/bin/sh\n"+
		"read -r event; echo \"$(id -ru):$(id -u) $event\" >>%s/out/events\n", s.root), 0o755)
	s.policy("[limits]\nfailures = \"2/10m\"\n[notify]\nprogram = \"/opt/tell\"\n")
	return func(n int) []string {
		s.t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			text, _ := os.ReadFile(s.root + "/out/events")
			if lines := strings.Split(string(text), "\n"); len(lines) > n {
				return lines[:n]
			}
			if time.Now().After(end) {
				s.t.Fatalf("the program heard %q, want %d events", text, n)
			}
		}
	}
}

// tells demands what one line says of an event.
func tells(t *testing.T, line string, want event.Event) {
	t.Helper()
	ids, text, _ := strings.Cut(line, " ")
	var got event.Event
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if host, err := os.Hostname(); err != nil || got.Host != host || got.Time == "" ||
		got.Version != 1 {
		t.Errorf("the event is %s", text)
	}
	got.Version, got.Time, got.Host = 0, "", ""
	if want.Service = "enroll"; got != want || ids != "65534:65534" {
		t.Errorf("the program, as %s, heard %+v; want %+v", ids, got, want)
	}
}

func TestProgramHearsOfDevicesThatEnrollAddsAndRemoves(t *testing.T) {
	s := newSite(t, standin.Options{})
	heard := s.listen()
	s.withApp(alice)
	s.withPhone(alice, aliceNumber)
	s.asRoot("remove", "mobile", "--user", alice.Name)
	s.asRoot("reset", alice.Name)
	lines := heard(4)
	for i, want := range []event.Event{
		{Kind: event.DeviceAdded, Device: "app", Method: "totp"},
		{Kind: event.DeviceAdded, Device: "mobile", Method: "phone"},
		{Kind: event.DeviceRemoved, Device: "mobile"},
		{Kind: event.DeviceRemoved},
	} {
		i = slices.IndexFunc(lines, func(line string) bool { // several may run at once
			return strings.Contains(line, `"`+string(want.Kind)+`"`) &&
				strings.Contains(line, `"device":"`+want.Device+`"`)
		})
		if want.User, want.By = alice.Name, "root"; i < 0 {
			t.Fatalf("the program heard %q, not of %+v", lines, want)
		}
		tells(t, lines[i], want)
	}
	if text := strings.Join(lines, ""); strings.Contains(text, aliceNumber) ||
		strings.Contains(text, rfcSecret) {
		t.Errorf("the program heard a number or a secret: %s", text)
	}
}

func TestProgramHearsOfLockByCodesTypedAtEnroll(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	heard := s.listen()
	for range 3 { // the third is not compared any more
		cmd := exec.Command(s.exe, "test", "--user", alice.Name)
		cmd.Stdin = bytes.NewReader([]byte("000000\n"))
		cmd.Run()
	}
	line := heard(1)[0]
	_, detail, _ := strings.Cut(line, `"detail":"`)
	detail, _, _ = strings.Cut(detail, `"`)
	if !strings.HasPrefix(detail, "until 2") {
		t.Errorf("the program heard %s", line)
	}
	tells(t, line, event.Event{Kind: event.Lock, User: alice.Name, Detail: detail})
	if st := s.state(alice); st.Denied.Service != "enroll" || st.Denied.At.IsZero() {
		t.Errorf("the last refused attempt is %+v", st.Denied)
	}
}

// One restore is one event, however many users it restores.
func TestProgramHearsOnceOfARestore(t *testing.T) {
	s := newSite(t, standin.Options{})
	heard := s.listen()
	for _, user := range []string{"root", "daemon"} {
		s.asRoot("--user", user, "add", "totp", "--yes")
	}
	identity, recipient := ageIdentity(t)
	file := filepath.Join(t.TempDir(), "backup")
	s.asRoot("backup", "--recipient", recipient, file)
	s.asRoot("restore", "--replace", "--identity", identity, file)
	restored := slices.DeleteFunc(heard(3), func(line string) bool {
		return strings.Contains(line, "device-added")
	})
	if len(restored) != 1 {
		t.Fatalf("the program heard %q, want one restore", restored)
	}
	tells(t, restored[0], event.Event{Kind: event.Restored, By: "root", Detail: "2 users"})
}
