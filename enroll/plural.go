package main

import "strconv"

// counted is a number of things for a sentence: 1 code, 2 codes.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}
