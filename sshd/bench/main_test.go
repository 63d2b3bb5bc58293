package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/pam/state"
)

func TestRecordedRunIsShownAgainWithoutMeasuring(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	var out, progress bytes.Buffer
	status := run([]string{"-from", "testdata/run.json", "-dir", dir}, &out, &progress)
	if status != 0 || progress.Len() > 0 {
		t.Fatalf("got exit status %d and %q", status, &progress)
	}
	table, err := os.ReadFile(filepath.Join(dir, "bench.md"))
	if err != nil || !strings.Contains(out.String(), string(table)) || len(table) < 1000 {
		t.Errorf("got %q in bench.md (%v), and printed %q", table, err, &out)
	}
	for _, name := range []string{"bench.json", "bench.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: got %v, %v", name, info, err)
		}
	}
	if status := run([]string{"-from", "testdata/none.json"}, &out, &progress); status != 1 {
		t.Errorf("a run that is not there: got exit status %d, want 1", status)
	}
	for _, args := range [][]string{
		{"-rounds", "many"}, {"-parts", "login"}, {"-parts", ""}, {"-on", "debian 11"},
		{"-parts", "logins", "-readme"}, {"-on", "debian 12", "-readme"},
	} {
		if status := run(args, &out, &progress); status != 2 {
			t.Errorf("%q: got exit status %d, want 2", args, status)
		}
	}
}

func TestPackedStateIsUnpackedAsLatchkeyDoes(t *testing.T) {
	st := state.State{UID: 1000, Devices: []state.Device{{ID: state.DeviceID{1, 0, 2}}}}
	packed, err := state.Encode(st)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	slot := unpack(packed)
	testfile := filepath.Join(dir, "alice")
	if err := os.WriteFile(testfile, append(slot, slot...), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := state.Store{Path: dir}.View("alice")
	if err != nil || got.UID != st.UID || got.Device(st.Devices[0].ID) == nil {
		t.Errorf("got %+v, %v; want the state that was packed", got, err)
	}
}
