// Package sshd holds the containerised login suite: real OpenSSH servers of Debian 12 and Debian 13, real clients, and the
// module as `make install` lays it down. Package suite is the harness, agent runs inside the containers, demo and bench are
// programs that use the same harness.
package sshd
