package grace

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// stat are the fields of proc_pid_stat(5) behind the program's name, the first of which is the
// third there.
func stat(root string, process int) []string {
	text, err := os.ReadFile(fmt.Sprintf("%s/proc/%d/stat", root, process))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

// field is one of them as a number, by its number there; 0 if there is none.
func field(root string, process, number int) int64 {
	fields := stat(root, process)
	if len(fields) <= number-3 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[number-3], 10, 64) // 0 if it is none
	return n
}

func parent(root string, process int) int { return int(field(root, process, 4)) }

// ticks is how many of the clock's the kernel counts in a second in /proc, on every architecture.
const ticks = 100

// age is how long a process has run; 0 if that is unknown.
func age(root string, process int) time.Duration {
	text, err := os.ReadFile(root + "/proc/uptime")
	up, _, _ := strings.Cut(string(text), " ")
	seconds, errNumber := strconv.ParseFloat(up, 64)
	start := field(root, process, 22)
	if err != nil || errNumber != nil || start == 0 {
		return 0
	}
	return time.Duration(seconds*float64(time.Second)) - time.Duration(start)*time.Second/ticks
}
