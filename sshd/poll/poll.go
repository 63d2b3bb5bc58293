// Package poll waits for what cannot be waited for otherwise.
package poll

import (
	"fmt"
	"time"
)

// Until polls until the condition gives no error, at most as long as said.
func Until(what string, limit time.Duration, condition func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := condition()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v for %s: %w", limit, what, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
