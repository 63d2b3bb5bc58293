package sshd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// faults are the answers of FAULTS 25 and 27, and the log's names for them.
var faults = []struct {
	name  string
	fault standin.Fault
	send  string // result of a send
	check string // result of a check; "" if it is a wrong code like any other
}{
	{"one byte a second", standin.Drip, "timeout", "timeout"},
	{"a hundred megabytes", standin.Flood, "invalid", "invalid"},
	{"HTML", standin.HTML, "invalid", "invalid"},
	{"an empty object", standin.Body(`{}`), "invalid", "invalid"},
	{"null", standin.Body(`null`), "invalid", "invalid"},
	{"junk behind the answer", standin.Trailing(`{"status":"approved"}`), "invalid", "invalid"},
	{"a redirect to approval", standin.Redirect(302), "invalid", "invalid"},
	{"approval of another verification",
		standin.Approve(map[string]any{"sid": "VE" + strings.Repeat("0", 32)}), "invalid",
		"invalid"},
	{"approval of another number", standin.Approve(map[string]any{"to": "+15550000000"}),
		"invalid", "invalid"},
	{"approval for another service",
		standin.Approve(map[string]any{"service_sid": "VA" + strings.Repeat("0", 32)}), "invalid",
		"invalid"},
	{"approved, but not valid", standin.Approve(map[string]any{"valid": false}), "invalid",
		"invalid"},
	{"a connection that is reset", standin.Reset, "failed", "failed"},
	{"wrong credentials", standin.Error(401, 20003), "credentials", "credentials"},
	{"a missing permission", standin.Error(403, 70051), "permission", "permission"},
	{"too many requests", standin.Error(429, 20429), "busy", "busy"},
	{"too many checks", standin.Error(429, 60202), "too_many_checks", ""},
	{"an error inside", standin.ErrorAfter(500, 20500), "failed", "failed"},
}

func TestFaultyAnswerFromTwilioDeniesAndTheUserIsToldWhatElseWorks(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := server(t, h, suite.KeyAndCode)
		for _, c := range faults {
			t.Run("to a send: "+c.name, func(t *testing.T) {
				v, u := verify(t, h, standin.Options{}), withPhone(t, h, true)
				v.Fail(c.fault)
				o := denied(t, s, suite.Attempt{
					User:   u.Name,
					Key:    shared.Key,
					Answer: answers(word("sms"), word("123456")),
				})
				if prompt := o.Prompts[1]; !strings.Contains(prompt, `From your app`) {
					t.Errorf("the user is told %q", prompt)
				}
				line := audited(t, h, u.Name, 1, "verdict=deny")
				if !strings.Contains(line, c.send) || strings.Contains(line, u.Number()) {
					t.Errorf("the log says %s", line)
				}
				if n := v.Sends(); n != 1 || v.Checks() != 0 {
					t.Errorf("%d sends, %d checks; one send is all", n, v.Checks())
				}
			})
			t.Run("to a check: "+c.name, func(t *testing.T) {
				v, u := verify(t, h, standin.Options{}), withPhone(t, h, true)
				right := func() string { v.Fail(c.fault); return v.Code(u.Number()) }
				o := denied(t, s, suite.Attempt{
					User:   u.Name,
					Key:    shared.Key,
					Answer: answers(word("sms"), right),
				})
				if prompt := o.Prompts[2]; !strings.Contains(prompt, `From your app`) {
					t.Errorf("the user is told %q", prompt)
				}
				line := audited(t, h, u.Name, 1, "verdict=deny")
				if !strings.Contains(line, c.check) {
					t.Errorf("the log says %s", line)
				}
				if n := v.Checks(); n != 1 {
					t.Errorf("%d checks", n)
				}
				v.Fail(nil)
				allowed(t, s,
					suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
			})
		}
	})
}

func TestBadCertificateGetsNoCredentials(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := server(t, h, suite.KeyAndCode)
		for name, c := range map[string]standin.Certificate{
			"expired": standin.Expired, "self-signed": standin.SelfSigned,
			"for another host": standin.WrongHost,
		} {
			t.Run(name, func(t *testing.T) {
				v, u := verify(t, h, standin.Options{Certificate: c}), withPhone(t, h, true)
				denied(t, s, suite.Attempt{
					User:   u.Name,
					Key:    shared.Key,
					Answer: answers(word("sms")),
				})
				line := audited(t, h, u.Name, 1, "verdict=deny")
				if !strings.Contains(line, "certificate") {
					t.Errorf("the log says %s", line)
				}
				if v.Connections() == 0 || len(v.Seen()) != 0 {
					t.Errorf("%d connections, %d requests", v.Connections(), len(v.Seen()))
				}
			})
		}
	})
}

func TestUnreachableTwilioIsNamedInTheLogAndTheAppStillWorks(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.KeyAndCode), verify(t, h, standin.Options{})
		v.Close()
		u := withPhone(t, h, true)
		allowed(t, s,
			suite.Attempt{User: u.Name, Key: shared.Key, Answer: answers(word("sms"), u.Code)})
		line := audited(t, h, u.Name, 1, "verdict=allow")
		if !strings.Contains(line, "unreachable") {
			t.Errorf("the log says %s", line)
		}
		_, err := h.Exec("", "/bin/rm", "/etc/latchkey/twilio.toml")
		must(t, err)
		v2 := withPhone(t, h, true)
		allowed(t, s,
			suite.Attempt{User: v2.Name, Key: shared.Key, Answer: answers(word("call"), v2.Code)})
		line = audited(t, h, v2.Name, 1, "verdict=allow")
		if !strings.Contains(line, "twilio.toml") {
			t.Errorf("the log says %s", line)
		}
	})
}

func TestSendsStayWithinTheLimits(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v := verify(t, h, standin.Options{})
		script(t, h, "printf '[phone]\\nsends_per_host = \"3/1h\"\\nprefixes = [\"+1555\"]\\n' "+
			">/etc/latchkey/latchkey.toml")
		s, u := server(t, h, suite.KeyAndCode), withPhone(t, h, true)
		began := time.Now()
		for range 3 {
			denied(t, s, suite.Attempt{
				User:   u.Name,
				Key:    shared.Key,
				Answer: answers(word("sms"), word("call"), word("sms")),
			})
		}
		if n := v.Sends(); n != 1 && time.Since(began) < 30*time.Second {
			t.Errorf("%d sends to one user at once; the second has to wait", n)
		}
		for range 4 {
			denied(t, s, suite.Attempt{
				User:   withPhone(t, h, false).Name,
				Key:    shared.Key,
				Answer: answers(word("sms")),
			})
		}
		if n := v.Sends(); n != 3 {
			t.Errorf("%d sends from this host, not 3", n)
		}
		// None of it cost the owner a try of the app's code.
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
	})
}

func TestDisallowedNumberIsRefusedWithoutTheNetwork(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v, s, u := verify(t, h, standin.Options{}), server(t, h, suite.KeyAndCode),
			withPhone(t, h, true)
		script(t, h, "printf '[phone]\\nprefixes = [\"+44\"]\\n' >/etc/latchkey/latchkey.toml")
		denied(t, s, suite.Attempt{
			User:   u.Name,
			Key:    shared.Key,
			Answer: answers(word("sms"), word("call")),
		})
		if v.Connections() != 0 {
			t.Error("the network was used")
		}
	})
}

func TestSuAndSudoReachTwilioTheSameInAnyEnvironment(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v := verify(t, h, standin.Options{})
		script(t, h, "echo 'ALL ALL=(ALL) ALL' >/etc/sudoers.d/all")
		for _, app := range local[:2] {
			t.Run(app.service, func(t *testing.T) {
				must(t, h.Service(app.service, suite.Latchkey))
				from, to := withPhone(t, h, false), withPhone(t, h, false)
				u := app.user(from, to)
				term, err := terminal.New(h.Shell(app.argv(from, to)...))
				must(t, err)
				t.Cleanup(term.Close)
				must(t, term.Expect(`[Pp]assword`))
				must(t, term.Type(suite.Password))
				must(t, term.Expect(`Verification code: `))
				must(t, term.Type("sms"))
				must(t, term.Expect(`Sent by SMS to `))
				must(t, term.Type(v.Code(u.Number())))
				must(t, term.Expect(`uid=\d+\(`+to.Name+`\)`))
				audited(t, h, u.Name, 1, "verdict=allow", "method=sms",
					fmt.Sprintf("service=%q", app.service))
				for _, leak := range []string{
					"Authorization", "SK", "http2", "TWILIO", v.Settings().APISecret,
				} {
					if strings.Contains(term.Seen(), leak) {
						t.Errorf("%q is on the terminal: %q", leak, term.Seen())
					}
				}
			})
		}
	})
}

func TestDoctorNamesWhatIsWrongWithTwilio(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, readme)
		for _, c := range []struct {
			name    string
			options standin.Options
			fault   standin.Fault
			says    string
		}{
			{"nothing", standin.Options{}, nil, "ok: Twilio Verify takes the credentials"},
			{"key", standin.Options{}, standin.Error(401, 20003),
				"error: Twilio Verify: credentials"},
			{"permission", standin.Options{}, standin.Error(403, 70051),
				"error: Twilio Verify: permission"},
			{"network", standin.Options{}, standin.Reset, "error: Twilio Verify: failed"},
			{"certificate", standin.Options{Certificate: standin.Expired}, nil,
				"error: Twilio Verify: certificate"},
			{"another server", standin.Options{}, standin.HTML, "error: Twilio Verify: invalid"},
		} {
			t.Run(c.name, func(t *testing.T) {
				v := verify(t, h, c.options)
				v.Fail(c.fault)
				out, err := h.Script("enroll doctor 2>&1; echo status $?")
				must(t, err)
				if !strings.Contains(out, c.says) ||
					strings.Contains(out, "status 0") != (c.fault == nil &&
						c.options.Certificate == standin.Good) {
					t.Errorf("%s", out)
				}
				if v.Sends() != 0 {
					t.Error("something was sent")
				}
			})
		}
	})
}
