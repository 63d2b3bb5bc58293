package main

import "time"

// Run is the program with bounds for tests.
func Run(root string, life, run, margin time.Duration) int {
	return bounds{life: life, run: run, margin: margin}.of(root)
}

const (
	Places = places
	Turns  = turns
)

func (b bounds) of(root string) int { return run(root, b) }
