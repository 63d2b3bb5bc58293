package session

import (
	"os"

	"latchkey/pam/audit"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/notify/dispatch"
	"latchkey/pam/notify/event"
)

// news is what a program of the administrator's is told once the verdict is delivered.
type news struct {
	program string
	events  []event.Event
}

func (n *news) add(program string, e event.Event) {
	n.program, n.events = program, append(n.events, e)
}

// tell tells it. Nothing of this can change the verdict, and no one waits for the program.
func (n *news) tell(root string, log audit.Syslog, r flow.Request, o verdict.Outcome) {
	if len(n.events) == 0 {
		return
	}
	host, _ := os.Hostname() // without a name there is none to tell
	for i := range n.events {
		e := &n.events[i]
		e.Host, e.User, e.Service, e.From = host, r.Name, r.Service, r.From
		if e.Device == "" {
			e.Method, e.Device = o.Method, o.Device
		}
	}
	dispatch.Notifier{Root: root, Log: log}.Tell(n.program, n.events...)
}
