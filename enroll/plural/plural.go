// Package plural counts things in a sentence.
package plural

import "strconv"

// Of is a number of things for a sentence: 1 code, 2 codes, -1 second.
func Of(n int, thing string) string {
	if n != 1 && n != -1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}
