// Command completions prints the completion of enroll's command line for a shell: bash, zsh or fish.
package main

import (
	"fmt"
	"os"

	"latchkey/enroll/usage"
)

func main() {
	shells := map[string]func() string{"bash": usage.Bash, "zsh": usage.Zsh, "fish": usage.Fish}
	if len(os.Args) != 2 || shells[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: completions bash|zsh|fish")
		os.Exit(2)
	}
	fmt.Print(shells[os.Args[1]]())
}
