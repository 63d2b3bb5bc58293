// Package suite starts one container for each distribution, with real OpenSSH servers inside, and
// logs in to them with real clients. It is shared by the tests, the benchmark and the
// demonstration. Everything in it needs root and docker or podman.
package suite
