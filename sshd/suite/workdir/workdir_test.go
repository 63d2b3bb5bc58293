package workdir

import (
	"os"
	"sync"
	"testing"
)

// The tests of several packages start at the same time, each in a process of its own.
func TestFoldersThatAreMadeAtTheSameTimeAreNotSweptAway(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			folder, err := New()
			if err != nil {
				t.Error(err)
				return
			}
			defer folder.Close()
			if _, err := os.Stat(folder.Name()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
