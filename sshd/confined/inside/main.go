// Command inside runs in a virtual machine of `make confined`, as root, with latchkey's AppArmor
// profiles enforced: it logs in in many ways, enrolls and administers, and says what failed and
// what the kernel denied.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/sshd/terminal"
)

// patience is for an emulated machine on a busy one.
const patience = 20 * time.Minute

func main() {
	terminal.Limit = patience
	stage, only := 0, os.Args[1:]
	if len(only) > 0 {
		if n, err := strconv.Atoi(only[0]); err == nil {
			stage, only = n, only[1:]
		}
	}
	os.Exit(run(stages[stage], only))
}

// step is something that a person or a script does.
type step struct {
	name string
	do   func() error
}

// stages are the steps between two starts of the machine.
var stages = [][]step{steps, started, startedAgain}

// run does all steps of a stage, or those named, even after one that failed.
func run(steps []step, only []string) int {
	failed := 0
	for _, s := range steps {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		began := time.Now()
		err := s.do()
		if err != nil {
			failed++
		}
		fmt.Printf("confined: %-48s %s (%v)\n", s.name, result(err),
			time.Since(began).Round(time.Second))
	}
	denials := denied()
	for _, d := range denials {
		fmt.Printf("confined: denied: %s\n", d)
	}
	fmt.Printf("confined: %d failed, %d denials\n", failed, len(denials))
	return min(failed+len(denials), 1)
}

func result(err error) string {
	if err == nil {
		return "ok"
	}
	return "FAILED: " + strings.ReplaceAll(err.Error(), "\n", " | ")
}
