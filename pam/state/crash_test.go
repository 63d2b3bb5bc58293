package state

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const sector = 512

// platter models a file on a disk behind a cache. Processes see the cache. After a crash of the
// machine each sector of 512 bytes is what was flushed last or any of the things written since,
// each sector for itself.
type platter struct {
	random   *rand.Rand
	cache    []byte
	possible [][]string // of each sector, what the disk may have
	dirty    []bool     // sectors that the next flush writes
	left     int        // operations until the process dies
	failing  bool       // the next flush reports an error
	lazy     bool       // the next process flushes nothing
}

// errKilled is the panic of a process that dies in an operation.
var errKilled = errors.New("killed")

func newPlatter(content []byte, random *rand.Rand) *platter {
	p := &platter{random: random, left: -1}
	p.settle(content)
	return p
}

// settle makes content what is on the disk, for certain.
func (p *platter) settle(content []byte) {
	p.cache = bytes.Clone(content)
	p.possible = make([][]string, len(content)/sector)
	p.dirty = make([]bool, len(content)/sector)
	for i := range p.possible {
		p.possible[i] = []string{p.at(i)}
	}
}

func (p *platter) at(i int) string { return string(p.cache[i*sector : (i+1)*sector]) }

func (p *platter) dies() bool {
	p.left--
	return p.left == -1
}

func (p *platter) WriteAt(b []byte, off int64) (int, error) {
	sectors, killed := len(b)/sector, p.dies()
	if killed {
		sectors = p.random.IntN(sectors + 1)
	}
	copy(p.cache[off:], b[:sectors*sector])
	for i := int(off) / sector; i < int(off)/sector+sectors; i++ {
		p.dirty[i] = true
		if !slices.Contains(p.possible[i], p.at(i)) {
			p.possible[i] = append(p.possible[i], p.at(i))
		}
	}
	if killed {
		panic(errKilled)
	}
	return len(b), nil
}

// flush fails as Linux does: what could not be written counts as clean afterwards, and no later
// flush writes it.
func (p *platter) flush() error {
	killed := p.dies()
	for i, dirty := range p.dirty {
		if dirty && ((!killed && !p.failing) || p.random.IntN(2) == 0) {
			p.possible[i] = []string{p.at(i)}
		}
	}
	if killed {
		panic(errKilled)
	}
	clear(p.dirty)
	if p.failing {
		p.failing = false
		return errors.New("input/output error")
	}
	return nil
}

func (p *platter) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(p.cache).ReadAt(b, off)
}

func (p *platter) Close() error { return nil }

// outcomes calls check with every content that a crash of the machine could leave.
func (p *platter) outcomes(check func(content []byte)) {
	content := make([]byte, len(p.cache))
	var choose func(i int)
	choose = func(i int) {
		if i == len(p.possible) {
			check(content)
			return
		}
		for _, s := range p.possible[i] {
			copy(content[i*sector:], s)
			choose(i + 1)
		}
	}
	choose(0)
}

// crash leaves one of those contents.
func (p *platter) crash() {
	content := make([]byte, 0, len(p.cache))
	for _, s := range p.possible {
		content = append(content, s[p.random.IntN(len(s))]...)
	}
	p.settle(content)
}

// history is what a user's file may hold: the state that was last reported as saved, and those
// tried since.
type history struct {
	saved  uint64
	trying []uint64
}

func (h *history) allows(content []byte) error {
	f, err := parse(bytes.NewReader(content))
	if err != nil {
		return err
	}
	if got := f.Devices[0].Counter; got != h.saved && !slices.Contains(h.trying, got) {
		return fmt.Errorf("it has state %d, and %d was saved, %v tried since", got, h.saved,
			h.trying)
	}
	return nil
}

// attempt opens the file as a process of its own and commits state number n.
func attempt(p *platter, h *history, n uint64) (err error) {
	defer func() {
		if dead := recover(); dead != nil && dead != errKilled {
			panic(dead)
		} else if dead != nil {
			err = errKilled
		}
	}()
	f, err := parse(bytes.NewReader(p.cache))
	if err != nil {
		return fmt.Errorf("process %d cannot open: %w", n, err)
	}
	f.f = p
	before := f.Devices[0].Counter
	f.Devices[0].Counter = n
	f.Failures = slices.Repeat([]time.Time{time.Unix(int64(n), 0)}, p.random.IntN(MaxFailures+1))
	h.trying = append(h.trying, n)
	if p.lazy {
		return f.CommitUnflushed() // a crash may undo it
	}
	if p.random.IntN(2) == 0 {
		err = f.CommitOrUndo()
		if now, parseErr := parse(bytes.NewReader(p.cache)); err != nil &&
			(parseErr != nil || now.Devices[0].Counter != before) {
			return fmt.Errorf("process %d failed (%v) and left %+v, %v, where %d counted before",
				n, err, now, parseErr, before)
		}
	} else {
		err = f.Commit()
	}
	if err != nil {
		return err
	}
	h.saved, h.trying = n, nil
	return nil
}

// life runs commits that are killed and flushes that fail at random, between crashes of the
// machine. It begins with a file of each version that is read.
func life(t *testing.T, seed uint64, failures bool) {
	random := rand.New(rand.NewPCG(seed, 0))
	first := &State{Devices: []Device{{}}, sequence: 1}
	slot := [][]byte{
		encoded(t, first), version2Slot(t, first, unchanged), version1Slot(t, first, unchanged),
	}[seed%3]
	p, h := newPlatter(slices.Concat(slot, slot), random), &history{}
	for n := uint64(1); n < 30; n++ {
		p.left, p.failing = random.IntN(12)-1, failures && random.IntN(4) == 0
		p.lazy = random.IntN(4) == 0
		err := attempt(p, h, n)
		p.left, p.failing = -1, false
		if err != nil && err != errKilled && !errors.Is(err, ErrSave) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := h.allows(p.cache); err != nil {
			t.Fatalf("seed %d, after process %d: %v", seed, n, err)
		}
		p.outcomes(func(content []byte) {
			if err := h.allows(content); err != nil {
				t.Fatalf("seed %d, a crash after process %d: %v", seed, n, err)
			}
		})
		if random.IntN(3) == 0 {
			p.crash()
			f, _ := parse(bytes.NewReader(p.cache))
			*h = history{saved: f.Devices[0].Counter}
		}
	}
}

func TestCrashAtAnyInstantLeavesTheOldStateOrTheNew(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		life(t, seed, false)
	}
}

func TestCrashAfterFailedFlushesLeavesTheOldStateOrTheNew(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		life(t, seed, true)
	}
}

func TestSavedStateSurvivesTheLossOfEitherSlot(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	slot, err := (&State{Devices: []Device{{}}, sequence: 1}).encode()
	if err != nil {
		t.Fatal(err)
	}
	p, h := newPlatter(slices.Concat(slot, slot), random), &history{}
	for n := uint64(1); n < 20; n++ {
		if err := attempt(p, h, n); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			damaged := bytes.Clone(p.cache)
			scramble(damaged[i*slotSize:(i+1)*slotSize], random)
			if err := h.allows(damaged); err != nil {
				t.Errorf("slot %d was lost: %v", i+1, err)
			}
			if n%3 == 0 && i == 1 {
				p.settle(damaged) // the next commits begin with a damaged slot
			}
		}
	}
}

func TestEvenStateGoesIntoTheFirstSlotFirstAndAnOddOneIntoTheSecond(t *testing.T) {
	for n := uint64(2); n < 8; n++ {
		before, err := (&State{Devices: []Device{{}}, sequence: n - 1}).encode()
		if err != nil {
			t.Fatal(err)
		}
		p := newPlatter(slices.Concat(before, before), rand.New(rand.NewPCG(n, n)))
		p.left = 1 // it dies in the flush
		if err := attempt(p, &history{}, n); err != errKilled {
			t.Fatal(err)
		}
		slots := [][]byte{p.cache[:slotSize], p.cache[slotSize:]}
		written, err := decode(slots[n%2])
		if err != nil || written.sequence != n || !bytes.Equal(slots[1-n%2], before) {
			t.Errorf("state %d: %+v, %v", n, written, err)
		}
	}
}

func scramble(b []byte, random *rand.Rand) {
	for i := range b {
		b[i] = byte(random.Uint32())
	}
}

// Damage upsets the order in which the slots are written, and a state number is skipped for it.
// With the number of the slot that still counts, the two would contradict each other after a
// crash.
func TestCommitAfterDamageIsWholeIfItDiesBeforeTheSecondSlot(t *testing.T) {
	for damaged := range 2 {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, uint64(damaged)))
			slot, err := (&State{Devices: []Device{{}}, sequence: 4}).encode()
			if err != nil {
				t.Fatal(err)
			}
			p := newPlatter(slices.Concat(slot, slot), random)
			scramble(p.cache[damaged*slotSize:(damaged+1)*slotSize], random)
			p.settle(p.cache)
			h := &history{}
			p.left = 2 // it dies when it writes the other slot
			if err := attempt(p, h, 9); err != errKilled {
				t.Fatal(err)
			}
			if f, err := parse(bytes.NewReader(p.cache)); err != nil || f.Devices[0].Counter != 9 {
				t.Errorf("slot %d damaged, seed %d: got %+v, %v; want state 9", damaged+1, seed, f,
					err)
			}
		}
	}
}
