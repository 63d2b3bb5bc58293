package missing

import (
	"os"
	"testing"
)

// A terminal shows how many were read: with many users it takes long.
func TestEachEntryThatIsReadIsTold(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(root+"/etc", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n" +
			"bob:x:1001:1001::/home/bob:/bin/sh\n",
		"shadow": "alice:$y$:1::::::\nbob:!:1::::::\n",
	} {
		if err := os.WriteFile(root+"/etc/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := 0
	all, err := Find(root, []string{"alice"}, func() { read++ })
	if err != nil || len(all) != 2 || all[0].Name != "bob" || all[1].Name != "root" {
		t.Errorf("got %+v, %v; want bob and root", all, err)
	}
	if read != 5 {
		t.Errorf("got %d entries told, want 5", read)
	}
}
