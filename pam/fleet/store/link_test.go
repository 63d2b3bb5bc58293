package store_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Only latchkey-fleetd has etcd's client in it.
func TestNoOtherProgramLinksEtcd(t *testing.T) {
	for program, want := range map[string]bool{
		"login": false, "twilio": false, "notify": false, "fleet/helper": false, "../enroll": false,
		"fleet/fleetd": true,
	} {
		out, err := exec.Command("go", "list", "-deps", "../../"+program).Output()
		if err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		for _, module := range []string{"go.etcd.io/", "google.golang.org/grpc", "go.uber.org/zap"} {
			if got := strings.Contains(string(out), module); got != want {
				t.Errorf("%s links %s: got %v, want %v", program, module, got, want)
			}
		}
	}
}
