//go:build asan

package gate

// sanitizers are the compiler flags under which the tests' own C programs and modules are built.
const sanitizers = "-fsanitize=address,undefined -fno-sanitize-recover=all"
