package main

import (
	"net/url"
	"strconv"

	"latchkey/pam/unprivileged/confine"
)

// confined leaves the program what reaching these services takes. Where the kernel cannot, the
// program goes on with what it lacks anyway: it is an unprivileged user's.
//
// What is refused then never looks as if the fleet were unreachable: see noConnection.
func confined(services []string) error {
	ports := []uint16{confine.Domain}
	for _, service := range services {
		if u, err := url.Parse(service); err == nil { // another is not connected to
			port, err := strconv.ParseUint(portOf(u), 10, 16)
			if err != nil {
				return err
			}
			ports = append(ports, uint16(port))
		}
	}
	_, err := confine.Process(confine.Needs{Files: confine.Lookup, Ports: ports})
	return err
}
