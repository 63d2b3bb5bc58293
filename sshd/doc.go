// Package sshd holds the login suite in containers: real OpenSSH servers of Debian 12 and Debian
// 13, real clients, and the module as `make install` installs it. Package suite is the harness,
// agent runs inside the containers, and demo and bench are programs that use the same harness.
package sshd
