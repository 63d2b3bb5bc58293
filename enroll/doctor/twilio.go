package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"latchkey/enroll/plural"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/settings"
)

// checkTwilio reads the settings and, if they can be read, tries them with a request that sends
// nothing.
func (d Doctor) checkTwilio() []Finding {
	if _, err := settings.Load(d.Root, settings.DefaultPath); err != nil {
		return []Finding{fault(settings.DefaultPath, err,
			"logins by phone are denied, others work")}
	}
	a := d.Probe()
	found := []Finding{okay(settings.DefaultPath), d.checkHost()}
	if a.Result != protocol.ProbeOK {
		return append(found, fault("Twilio Verify", errors.New(cmp.Or(a.Because(), "no answer")),
			remedies[a.Result]))
	}
	takes := okay("Twilio Verify takes the credentials")
	if a.CodeLength > 0 {
		takes.Detail = fmt.Sprintf("its codes have %d digits", a.CodeLength)
	}
	found = append(found, takes)
	if a.Skew > maxSkew || a.Skew < -maxSkew {
		err := fmt.Errorf("%s from Twilio's", plural.Of(int(-a.Skew), "second"))
		return append(found, fault("this machine's clock", err,
			"app codes need the right time: timedatectl set-ntp true"))
	}
	return append(found, okay("this machine's clock agrees with Twilio's"))
}

// checkHost looks at the file that counts for the whole host, which enroll makes with the first
// phone.
func (d Doctor) checkHost() Finding {
	host := d.Keyring.Host.String() + "/host"
	_, err := d.Keyring.Host.View("host")
	if errors.Is(err, fs.ErrNotExist) && !d.phonesEnrolled() {
		return Finding{host, OK, "made with the first phone", ""}
	}
	return verdict(host, err, "no codes are sent until it can be read; restore it, or remove "+
		"it: enroll add phone makes a new one")
}

// phonesEnrolled reports whether any user is known to have a phone.
func (d Doctor) phonesEnrolled() bool {
	names, _ := d.Keyring.Records.Names()
	return slices.ContainsFunc(names, func(name string) bool {
		u, err := d.LookUp(name)
		if err != nil {
			return false
		}
		rec, _, err := d.Keyring.View(record.User{Name: name, UID: u.UID})
		return err == nil && has(rec, method.SMS)
	})
}

// maxSkew is how many seconds a clock may be off before codes of apps are refused.
const maxSkew = 30

// remedies say what to do about what a probe came to.
var remedies = map[protocol.Result]string{
	protocol.Credentials: "check account_sid, api_key and api_secret (or auth_token) in " +
		"the Twilio console",
	protocol.Permission: "the API key lacks a permission: make a standard key, or allow " +
		"it Verify",
	protocol.UnknownService: "check service_sid: the account has no such Verify service",
	protocol.Unreachable: "no connection: check the network, the firewall, DNS, and " +
		"base_url and proxy",
	protocol.Certificate: "the server's certificate is not trusted: check ca_file, " +
		"base_url, and this machine's clock",
	protocol.Timeout: "no answer in time: check the network and the proxy",
	protocol.Invalid: "what answered is not Twilio Verify: check base_url and proxy",
	protocol.Failed: "Twilio has a problem, or latchkey-twilio is missing; try " +
		"again later",
	protocol.Busy: "Twilio is busy; try again later",
}
