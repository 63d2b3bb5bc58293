//go:build !asan

package gate

const sanitizers = ""
