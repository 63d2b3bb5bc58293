package service

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/pam/fleet/wire"
)

// metrics are counted for Prometheus. Its text format is a few lines, so no library is linked.
type metrics struct {
	mutex       sync.Mutex
	questions   map[[2]string]uint64 // by operation and fault
	buckets     [len(bounds)]uint64
	slower      uint64
	seconds     float64
	quarantines atomic.Uint64
	busy        atomic.Uint64 // questions that were refused because they would have waited too long
	size        atomic.Int64  // of etcd's database; -1: not known
}

// bounds are upper bounds in seconds.
var bounds = [...]float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

func (m *metrics) count(op string, fault wire.Fault) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.questions == nil {
		m.questions = map[[2]string]uint64{}
	}
	m.questions[[2]string{op, string(fault)}]++
}

// asked counts a question. An operation that is not known is not a label: hosts choose its name.
func (m *metrics) asked(op string, known bool, fault wire.Fault, took time.Duration) {
	if !known {
		op = "unknown"
	}
	m.count(op, fault)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.seconds += took.Seconds()
	for i, bound := range bounds {
		if took.Seconds() <= bound {
			m.buckets[i]++
			return
		}
	}
	m.slower++
}

// Metrics answers with the numbers in Prometheus's text format.
func (s *Service) Metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	s.metrics.write(w)
	gauge := func(name, help string, value any) {
		fmt.Fprintf(w, "# HELP %[1]s %[2]s\n# TYPE %[1]s gauge\n%[1]s %[3]v\n", name, help, value)
	}
	counter := func(name, help string, value uint64) {
		fmt.Fprintf(w, "# HELP %[1]s %[2]s\n# TYPE %[1]s counter\n%[1]s %[3]d\n", name, help, value)
	}
	offset, _ := s.node.Offset()
	gauge("latchkey_fleetd_answering", "1: questions are answered.", number(s.Refused() == nil))
	gauge("latchkey_fleetd_epoch", "Generation of the fleet.", s.node.Epoch())
	gauge("latchkey_fleetd_clock_offset_seconds", "From the median of the other services.",
		offset.Seconds())
	gauge("latchkey_fleetd_etcd_bytes", "Size of etcd's database.", s.metrics.size.Load())
	gauge("latchkey_fleetd_etcd_quota_bytes", "What it may have.", s.Quota)
	if pair, err := s.Certificate(); err == nil {
		gauge("latchkey_fleetd_certificate_until_seconds", "When the certificate ends, Unix time.",
			pair.Leaf.NotAfter.Unix())
	}
	counter("latchkey_fleetd_conflicts_total", "Transactions that ran again.",
		s.store.Conflicts.Load())
	counter("latchkey_fleetd_etcd_unanswered_total", "Requests that no node answered.",
		s.store.Unanswered.Load())
	counter("latchkey_fleetd_busy_total", "Connections and questions refused for lack of time.",
		s.accept.Refused.Load()+s.metrics.busy.Load())
	counter("latchkey_fleetd_quarantines_total", "Hosts put into quarantine.",
		s.metrics.quarantines.Load())
}

// Refused returns why the service answers no question; nil: it does.
func (s *Service) Refused() error { return s.node.Refused() }

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (m *metrics) write(w io.Writer) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	const questions, seconds = "latchkey_fleetd_questions_total", "latchkey_fleetd_question_seconds"
	fmt.Fprintf(w, "# HELP %[1]s By operation and fault; none: done.\n# TYPE %[1]s counter\n",
		questions)
	order := func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }
	for _, key := range slices.SortedFunc(maps.Keys(m.questions), order) {
		fmt.Fprintf(w, "%s{op=%q,fault=%q} %d\n", questions, key[0], key[1], m.questions[key])
	}
	fmt.Fprintf(w, "# HELP %[1]s Until the answer.\n# TYPE %[1]s histogram\n", seconds)
	var total uint64
	for i, bound := range bounds {
		total += m.buckets[i]
		fmt.Fprintf(w, "%s_bucket{le=\"%v\"} %d\n", seconds, bound, total)
	}
	total += m.slower
	fmt.Fprintf(w, "%[1]s_bucket{le=\"+Inf\"} %[2]d\n%[1]s_sum %[3]v\n%[1]s_count %[2]d\n", seconds,
		total, m.seconds)
}
