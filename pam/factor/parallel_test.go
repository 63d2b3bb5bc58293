package factor_test

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// noCodes are 1,000 codes of eight digits from first on, none of which phone shows around noon.
func noCodes(t *testing.T, root testroot.Root, first int) {
	t.Helper()
	rec, err := root.Keyring().Records.Load(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	for step := -1; step <= 1; step++ {
		code := testroot.Code(t, rec.Devices[0], noon.Add(time.Duration(step)*30*time.Second))
		if n, _ := strconv.Atoi(code); n >= first && n < first+1000 {
			t.Fatalf("%s is a right code", code)
		}
	}
}

func TestThousandWrongCodesInParallelAreComparedOnlyAsOftenAsTheLimitAllows(t *testing.T) {
	root, phone, _ := enrolled(t)
	noCodes(t, root, 0)
	var all sync.WaitGroup
	var compared, wrong, locked atomic.Int64
	for i := range 1000 {
		all.Go(func() {
			n, result, err := attempt(root, fmt.Sprintf("%08d", i))
			if err != nil {
				t.Error(err)
			}
			compared.Add(int64(n))
			switch result {
			case factor.Wrong:
				wrong.Add(1)
			case factor.Locked:
				locked.Add(1)
			default:
				t.Errorf("result %d", result)
			}
		})
	}
	all.Wait()
	if compared.Load() != 3 || wrong.Load() != 3 || locked.Load() != 997 {
		t.Errorf("%d comparisons, %d wrong, %d locked", compared.Load(), wrong.Load(),
			locked.Load())
	}
	expect(t, root, testroot.Code(t, phone, noon), noon, factor.Locked)
	end := noon.Add(15 * time.Minute)
	expect(t, root, testroot.Code(t, phone, end), end, factor.Accepted)
}

func TestThousandWrongCodesFromManyProcessesAreComparedOnlyAsOftenAsTheLimitAllows(t *testing.T) {
	root, phone, _ := enrolled(t)
	noCodes(t, root, 0)
	var all sync.WaitGroup
	var compared atomic.Int64
	for i := range 8 {
		cmd := testroot.Role(nil, "guess", string(root), strconv.Itoa(i*125), "125")
		all.Go(func() {
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%v: %s", err, err.(*exec.ExitError).Stderr)
			}
			compared.Add(int64(strings.Count(string(out), "x")))
		})
	}
	all.Wait()
	if compared.Load() != 3 {
		t.Errorf("%d comparisons", compared.Load())
	}
	expect(t, root, testroot.Code(t, phone, noon), noon, factor.Locked)
}

func TestOfFiftyLoginsWithOneCodeExactlyOneIsAccepted(t *testing.T) {
	root, phone, _ := enrolled(t)
	for round := range 20 {
		now := noon.Add(time.Duration(round) * 30 * time.Second)
		code := testroot.Code(t, phone, now)
		var all sync.WaitGroup
		var accepted, replayed atomic.Int64
		for range 50 {
			all.Go(func() {
				account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
				if err != nil {
					t.Error(err)
					return
				}
				defer account.Close()
				m, err := compare(account, code, now, three, every)
				if err != nil {
					t.Error(err)
				}
				switch m.Result {
				case factor.Accepted:
					accepted.Add(1)
				case factor.Replayed:
					replayed.Add(1)
				}
			})
		}
		all.Wait()
		if accepted.Load() != 1 || replayed.Load() != 49 {
			t.Errorf("round %d: %d accepted, %d replayed", round, accepted.Load(), replayed.Load())
		}
	}
}

func TestAcceptanceKilledAtAnySystemCallIsUsableOnceAtMost(t *testing.T) {
	t.Parallel()
	root, phone, _ := enrolled(t)
	code := testroot.Code(t, phone, noon)
	fresh := testroot.Read(t, root.State("alice"))
	killed := testroot.KillAtEveryCall(t, "accept", []string{string(root), code},
		func(before string, completed bool) {
			result := try(t, root, code, noon).Result
			if result != factor.Replayed && (completed || result != factor.Accepted) {
				t.Errorf("killed before %s: result %d", before, result)
			}
			expect(t, root, code, noon, factor.Replayed)
			testroot.Write(t, root.State("alice"), fresh)
		})
	if killed < 4 { // open, lock, write, flush
		t.Errorf("only %d runs were killed", killed)
	}
}
