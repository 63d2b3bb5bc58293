package main

import (
	"strings"

	"latchkey/pam/twilio/protocol"
)

// nobodysVerification is a verification that never was.
var nobodysVerification = "VE" + strings.Repeat("0", 32)

// probe asks for a verification that never was: a caller who is told that it is gone (404, 20404)
// has good credentials. Then it asks for the service, because Verify answers the same for a
// service that never was. A key that may use the service need not be allowed to read it, so that
// only a plain "not found" counts against it.
func (e exchange) probe() protocol.Answer {
	service := e.request.Service
	_, err := e.api.FetchVerification(service.ServiceSID, nobodysVerification)
	if err == nil {
		return e.skewed(e.because(invalid(e.guard.status,
			"Verify knows a verification that never was")))
	}
	if first := e.because(err); first.Result != protocol.Gone {
		return e.skewed(first)
	}
	s, err := e.api.FetchService(service.ServiceSID)
	if err != nil {
		return e.skewed(e.withoutService(serviceGone(err)))
	}
	if !is(s.Sid, service.ServiceSID) || !is(s.AccountSid, service.AccountSID) {
		return e.skewed(e.because(invalid(e.guard.status,
			"the service is another or of another account")))
	}
	if s.CodeLength != 0 && !protocol.IsCodeLength(s.CodeLength) {
		return e.skewed(e.because(invalid(e.guard.status,
			"no service of Verify has codes of that length")))
	}
	return e.skewed(protocol.Answer{
		Version: protocol.Version, Result: protocol.ProbeOK, HTTPStatus: e.guard.status,
		CodeLength: s.CodeLength,
	})
}

// withoutService is what the probe found if the service could not be read.
func (e exchange) withoutService(err error) protocol.Answer {
	a := e.because(err)
	if a.Result == protocol.Permission || a.Result == protocol.Refused {
		a.Result, a.Detail = protocol.ProbeOK,
			"the key may not read the service, so that service_sid was not proven"
	}
	return a
}

// skewed adds what Twilio's clock said.
func (e exchange) skewed(a protocol.Answer) protocol.Answer {
	a.Skew = int64(e.guard.skew.Seconds())
	return a
}
