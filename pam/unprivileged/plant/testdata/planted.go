// This file is built into programs that reach the network, by tests alone. It is what an attacker
// who has taken such a program over in the middle of an exchange may try.
package main

import (
	"net"
	"os"
	"runtime"
	"strings"
)

// planted does what the program should, and what it should not, and says what went well. The test
// puts a folder that anyone may write to, and the address of another server, in place of the words
// in capitals.
func planted(server string) string {
	var did []string
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // a thread of its own
		for _, try := range []struct {
			name string
			do   func() error
		}{
			{"hosts", read("/etc/hosts")},
			{"server", connect(strings.TrimPrefix(server, "https://"))},
			{"interfaces", func() error { _, err := net.Interfaces(); return err }},
			{"read", read("/etc/passwd")},
			{"list", func() error { _, err := os.ReadDir("/etc"); return err }},
			{"make", func() error { return os.WriteFile("FOLDER/made", nil, 0o600) }},
			{"change", func() error { return os.WriteFile("FOLDER/there", nil, 0o600) }},
			{"remove", func() error { return os.Remove("FOLDER/there") }},
			{"start", start},
			{"connect", connect("OTHER")},
			{"multipath", multipath},
			{"listen", listen},
			{"unix", local},
		} {
			if try.do() == nil {
				did = append(did, try.name)
			}
		}
		close(done)
	}()
	<-done
	return strings.Join(did, " ")
}

func read(file string) func() error {
	return func() error { _, err := os.ReadFile(file); return err }
}

func connect(address string) func() error {
	return func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err
	}
}

func start() error {
	p, err := os.StartProcess("/bin/true", []string{"true"}, new(os.ProcAttr))
	if err == nil {
		_, err = p.Wait()
	}
	return err
}

// multipath connects by MPTCP, or by TCP where there is none.
func multipath() error {
	var d net.Dialer
	d.SetMultipathTCP(true)
	conn, err := d.Dial("tcp", "OTHER")
	if err == nil {
		conn.Close()
	}
	return err
}

// local reaches a program of this machine.
func local() error {
	conn, err := net.Dial("unix", "FOLDER/socket")
	if err == nil {
		conn.Close()
	}
	return err
}

// listen takes the other server's port at another address of the loopback network.
func listen() error {
	_, port, err := net.SplitHostPort("OTHER")
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err == nil {
		l.Close()
	}
	return err
}
