package policy

import (
	"strings"
	"testing"
)

var refusals = []struct{ name, text, want string }{
	// The file as such.
	{"a byte order mark", "\xef\xbb\xbftries = 1", `1: the file begins with a byte order mark`},
	{"a NUL byte", "# a\n# b\x00\n", `2: NUL byte`},
	{"UTF-16", "\xff\xfet\x01", `1: invalid UTF-8`},
	{"invalid UTF-8 in a comment", "# a\n\n# \xc3(\n", `3: invalid UTF-8`},
	{"a file of 64 KiB and a byte", "#\n" + strings.Repeat("#", maxFile-1),
		`2: the file is longer than 64 KiB`},
	{"a control character", "# a\n# \x1b[1m\n",
		`2: control characters are not allowed in comments`},
	{"no value", "\n[limits]\ntries =\n", `3: unexpected character U+000A at start of value`},
	{"no equals sign", "[limits]\ntries 3\n", `2: expected '=' after key`},
	{"an unquoted word", "\nunenrolled = deny\n",
		`2: unexpected character U+0064 'd' at start of value`},
	{"a list that does not end", "[phone]\nmethods = [\n\"sms\",\n", `3: array is incomplete`},
	{"a string that does not end", "\n\nunenrolled = \"deny\n",
		`3: basic strings cannot have new lines`},
	{"a file that ends inside a string", "\nunenrolled = \"deny", `2: unterminated basic string`},
	{"a lone carriage return", "[limits]\rtries = 3\n", `1: expected newline but got U+000D`},

	// Names.
	{"an unknown key at the top", "\n\ntrys = 3", `3: unknown key "trys"`},
	{"an unknown key in [limits]", "[limits]\n# three\ntrys = 3",
		`3: unknown key "trys" in [limits]`},
	{"an unknown key in [phone]", "[phone]\nfax = true", `2: unknown key "fax" in [phone]`},
	{"an unknown key in [trust]", "[trust]\nday = 1",
		`2: unknown key "day" in [trust]; did you mean "days"?`},
	{"an unknown key in a rule", "[[rule]]\nrequire = 'code'\nuser = ['a']",
		`3: unknown key "user" in [rule]; did you mean "users"?`},
	{"a key that is like one elsewhere", "[phone]\nconsecutiv = 3",
		`2: unknown key "consecutiv" in [phone]; did you mean "consecutive" below [limits]?`},
	{"a key that is like none", "frobnicate = 3", `1: unknown key "frobnicate"`},
	{"a key of another table", "[phone]\ntries = 3",
		`2: unknown key "tries" in [phone]; it belongs below [limits]`},
	{"a key of the top below a header", "[limits]\nunenrolled = 'allow'",
		`2: unknown key "unenrolled" in [limits]; it belongs above the first table`},
	{"a key in another case", "[limits]\nTries = 3",
		`2: unknown key "Tries" in [limits]; did you mean "tries"?`},
	{"an empty key", `"" = 3`, `1: unknown key ""`},
	{"a quoted key with a dot", `"limits.tries" = 3`, `1: unknown key "limits.tries"`},
	{"a key with a control character", `"a\u001b\n" = 3`, `1: unknown key "a\x1b\n"`},
	{"a long key", strings.Repeat("k", 41) + " = 1",
		`1: unknown key "` + strings.Repeat("k", 40) + `…"`},
	{"a long key that is cut inside a letter", "'" + strings.Repeat("k", 39) + "äö' = 1",
		`1: unknown key "` + strings.Repeat("k", 39) + `…"`},
	{"an unknown table", "\n[limit]\n", `2: unknown table "limit"; did you mean [limits]?`},
	{"an unknown table without keys below a known one", "[limits]\n[limits.user]\n",
		`2: unknown table "limits.user"`},
	{"an unknown list of tables", "[[rules]]\nrequire = 'code'",
		`1: unknown table "rules"; did you mean [[rule]]?`},
	{"a table inside a rule", "[[rule]]\nrequire = 'code'\n[rule.from]",
		`3: unknown table "rule.from"`},
	{"a rule in single brackets", "\n[rule]\nrequire = 'none'",
		`2: write [[rule]], with two brackets on each side`},
	{"a table in double brackets", "[[limits]]",
		`1: write [limits], with one bracket on each side`},
	{"a dotted key", "limits.tries = 3",
		`1: dotted key "limits.tries": write a header and the key below it`},
	{"a dotted key in a rule", "[[rule]]\nrequire.x = 'none'",
		`2: dotted key "require.x": write a header and the key below it`},
	{"an inline table", "limits = { tries = 3 }",
		`1: limits is a table: write [limits] and its keys below`},
	{"rules as a value", "rule = [{ require = 'none' }]",
		`1: rule is a list of tables: write [[rule]] and its keys below`},

	{"a program that is no absolute path", "[notify]\nprogram = 'mail'",
		`2: program must be the absolute path of a program, or "", not "mail"`},
	{"a program with dots in its path", "[notify]\nprogram = '/opt/../mail'",
		`2: program must be the absolute path of a program, or "", not "/opt/../mail"`},
	{"a program that is a folder", "[notify]\nprogram = '/opt/'",
		`2: program must be the absolute path of a program, or "", not "/opt/"`},
	{"a program that is the root", "[notify]\nprogram = '/'",
		`2: program must be the absolute path of a program, or "", not "/"`},
	{"a program with arguments in a list", "[notify]\nprogram = ['/opt/mail', 'root']",
		`2: program must be the absolute path of a program, or "", not a list`},
	{"an unknown key in [notify]", "[notify]\nprograms = ''",
		`2: unknown key "programs" in [notify]; did you mean "program"?`},

	{"an unknown format of the log", "[log]\nformat = 'xml'",
		`2: format must be "text" or "json", not "xml"`},
	{"a format that is no text", "[log]\nformat = true",
		`2: format must be "text" or "json", not true`},
	{"an unknown key in [log]", "[log]\nformats = 'json'",
		`2: unknown key "formats" in [log]; did you mean "format"?`},

	// Repetitions.
	{"a key twice at the top", "unenrolled = 'deny'\n\nunenrolled = 'allow'",
		`3: unenrolled is set twice, first on line 1`},
	{"a key twice in a table", "[limits]\ntries = 3\n\"tries\" = 4",
		`3: tries is set twice, first on line 2`},
	{"a key twice in a rule", "[[rule]]\nrequire = 'code'\nrequire = 'none'",
		`3: require is set twice, first on line 2`},
	{"a table twice", "[limits]\ntries = 3\n[phone]\n[limits]\nlock = '1m'",
		`4: [limits] is written twice, first on line 1`},
	{"a name twice in a list", "[[rule]]\nusers = ['a',\n 'b', 'a']", `3: users lists "a" twice`},
	{"a method twice", "[phone]\nmethods = ['sms', 'sms']", `2: methods lists "sms" twice`},
	{"an address twice", "[[rule]]\nfrom = ['::1',\n'::1/128']", `3: from lists "::1/128" twice`},

	// Top.
	{"unenrolled is unknown", "unenrolled = 'permit'",
		`1: unenrolled must be "deny", "allow" or "enroll", not "permit"`},
	{"unenrolled is empty", "unenrolled = ''",
		`1: unenrolled must be "deny", "allow" or "enroll", not ""`},
	{"unenrolled is in another case", "unenrolled = 'Allow'",
		`1: unenrolled must be "deny", "allow" or "enroll", not "Allow"`},
	{"enroll_ticket is a word", `enroll_ticket = "yes"`,
		`1: enroll_ticket must be true or false, not "yes"`},
	{"unenrolled is a boolean", "unenrolled = true",
		`1: unenrolled must be "deny", "allow" or "enroll", not true`},
	{"enroll_by is a string", "enroll_by = '2027-01-31'",
		`1: enroll_by must be a date such as 2027-01-31, without quotes, not "2027-01-31"`},
	{"enroll_by has a time", "enroll_by = 2027-01-31T10:00:00Z",
		`1: enroll_by must be a date such as 2027-01-31, without quotes, not the date or time ` +
			`2027-01-31T10:00:00Z`},
	{"enroll_by is no day", "enroll_by = 2027-02-29",
		`1: enroll_by must be a date such as 2027-01-31, without quotes, not the date or time ` +
			`2027-02-29`},
	{"enroll_by is half a date", "enroll_by = 2027-01",
		`1: enroll_by must be a date such as 2027-01-31, without quotes, not the date or time ` +
			`2027-01`},

	// [limits]
	{"no tries", "[limits]\n\n\ntries = 0", `4: tries must be a whole number from 1 to 10, not 0`},
	{"eleven tries", "[limits]\ntries = 11",
		`2: tries must be a whole number from 1 to 10, not 11`},
	{"negative tries", "[limits]\ntries = -1",
		`2: tries must be a whole number from 1 to 10, not -1`},
	{"tries beyond 64 bits", "[limits]\ntries = 18446744073709551617",
		`2: tries must be a whole number from 1 to 10, not 18446744073709551617`},
	{"tries of very many digits", "[limits]\ntries = 1" + strings.Repeat("0", 99),
		`2: tries must be a whole number from 1 to 10, not 1` + strings.Repeat("0", 39) + `…`},
	{"tries is a string", "[limits]\ntries = '3'",
		`2: tries must be a whole number from 1 to 10, not "3"`},
	{"tries is a fraction", "[limits]\ntries = 3.0",
		`2: tries must be a whole number from 1 to 10, not 3.0`},
	{"tries is a list", "[limits]\ntries = [3]",
		`2: tries must be a whole number from 1 to 10, not a list`},
	{"tries is a table", "[limits]\ntries = {}",
		`2: tries must be a whole number from 1 to 10, not a table`},
	{"no failures", "[limits]\nfailures = '0/10m'",
		`2: failures must be a rate such as "5/1h", of 1 to 64 in 1s to 24h, not "0/10m"`},
	{"65 failures", "[limits]\nfailures = '65/10m'",
		`2: failures must be a rate such as "5/1h", of 1 to 64 in 1s to 24h, not "65/10m"`},
	{"failures without a window", "[limits]\nfailures = '10'",
		`2: failures must be a rate such as "5/1h", of 1 to 64 in 1s to 24h, not "10"`},
	{"failures is a number", "[limits]\nfailures = 10",
		`2: failures must be a rate such as "5/1h", of 1 to 64 in 1s to 24h, not 10`},
	{"lock of half a second", "[limits]\nlock = '500ms'",
		`2: lock must be a time such as "15m", from 1s to 24h, not "500ms"`},
	{"lock of zero", "[limits]\nlock = '0s'",
		`2: lock must be a time such as "15m", from 1s to 24h, not "0s"`},
	{"lock of a day and a second", "[limits]\nlock = '24h1s'",
		`2: lock must be a time such as "15m", from 1s to 24h, not "24h1s"`},
	{"lock of no unit", "[limits]\nlock = '15'",
		`2: lock must be a time such as "15m", from 1s to 24h, not "15"`},
	{"lock is a number", "[limits]\nlock = 15",
		`2: lock must be a time such as "15m", from 1s to 24h, not 15`},
	{"lock with a line break", "[limits]\nlock = \"15m\\n\"",
		`2: lock must be a time such as "15m", from 1s to 24h, not "15m\n"`},

	// [phone]
	{"a phone method that is no phone's", "[phone]\nmethods = [\n'sms',\n'totp',\n]",
		`4: each of methods must be "sms" or "call", not "totp"`},
	{"phone methods are a string", "[phone]\nmethods = 'sms'",
		`2: methods must be a list such as ["a", "b"], not "sms"`},
	{"auto is a string", "[phone]\nauto = 'yes'", `2: auto must be true or false, not "yes"`},
	{"auto is a number", "[phone]\nauto = 1", `2: auto must be true or false, not 1`},
	{"1001 sends per user", "[phone]\nsends_per_user = '1001/1h'",
		`2: sends_per_user must be a rate such as "5/1h", of 1 to 1000 in 1s to 24h, not ` +
			`"1001/1h"`},
	{"10001 sends per host", "[phone]\nsends_per_host = '10001/1h'",
		`2: sends_per_host must be a rate such as "5/1h", of 1 to 10000 in 1s to 24h, not ` +
			`"10001/1h"`},
	{"a prefix without a plus", "[phone]\nprefixes = ['+1', '44']",
		`2: each of prefixes must be "+" and 1 to 15 digits, the first not 0, not "44"`},
	{"a prefix is a number", "[phone]\nprefixes = [+1]",
		`2: each of prefixes must be "+" and 1 to 15 digits, the first not 0, not +1`},
	{"locale is empty", "[phone]\nlocale = ''",
		`2: locale must be a language such as "en" or "pt-BR", not ""`},

	// [trust]
	{"366 days", "[trust]\ndays = 366", `2: days must be a whole number from 0 to 365, not 366`},
	{"negative days", "[trust]\ndays = -1",
		`2: days must be a whole number from 0 to 365, not -1`},
	{"bound to nothing", "[trust]\nbind = []",
		`2: bind is an empty list: leave it out or name at least one`},
	{"bound to something unknown", "[trust]\nbind = ['name']",
		`2: each of bind must be "key" or "address", not "name"`},

	// [[rule]]
	{"a rule that requires nothing known", "[[rule]]\nrequire = 'password'",
		`2: require must be "code", "none" or "deny", not "password"`},
	{"an empty rule", "\n[[rule]]\n",
		`2: this rule does not say what it requires: "code", "none" or "deny"`},
	{"a rule without require before another",
		"[[rule]]\nusers = ['a']\n[[rule]]\nrequire = 'none'", `1: this rule does not say what ` +
			`it requires: "code", "none" or "deny"`},
	{"a rule without require before a table", "[[rule]]\nusers = ['a']\n[limits]",
		`1: this rule does not say what it requires: "code", "none" or "deny"`},
	{"methods for none", "[[rule]]\nmethods = ['totp']\nrequire = 'none'",
		`2: methods cannot be set in a rule that requires "none"`},
	{"trust for none", "[[rule]]\nrequire = 'none'\ntrust_days = 0",
		`3: trust_days cannot be set in a rule that requires "none"`},
	{"trust for deny", "[[rule]]\ntrust_days = 30\nrequire = 'deny'",
		`2: trust_days cannot be set in a rule that requires "deny"`},
	{"trust for 366 days", "[[rule]]\nrequire = 'code'\ntrust_days = 366",
		`3: trust_days must be a whole number from 0 to 365, not 366`},
	{"trust for negative days", "[[rule]]\nrequire = 'code'\ntrust_days = -1",
		`3: trust_days must be a whole number from 0 to 365, not -1`},
	{"trust for a word", "[[rule]]\nrequire = 'code'\ntrust_days = '30'",
		`3: trust_days must be a whole number from 0 to 365, not "30"`},
	{"trust twice", "[[rule]]\nrequire = 'code'\ntrust_days = 30\ntrust_days = 0",
		`4: trust_days is set twice, first on line 3`},
	{"trust at the top", "trust_days = 30",
		`1: unknown key "trust_days"; it belongs below [[rule]]`},
	{"the rule's key in [trust]", "[trust]\ntrust_days = 30",
		`2: unknown key "trust_days" in [trust]; it belongs below [[rule]]`},
	{"methods for deny", "[[rule]]\nrequire = 'deny'\nmethods = ['totp']",
		`3: methods cannot be set in a rule that requires "deny"`},
	{"an unknown method", "[[rule]]\nmethods = ['otp']",
		`2: each of methods must be "totp", "hotp", "recovery", "sms", "call" or "key", not ` +
			`"otp"`},
	{"no methods", "[[rule]]\nrequire = 'code'\nmethods = []",
		`3: methods is an empty list: leave it out or name at least one`},
	{"no users", "[[rule]]\nusers = []\nrequire = 'none'",
		`2: users is an empty list: leave it out or name at least one`},
	{"no groups", "[[rule]]\ngroups = []\nrequire = 'none'",
		`2: groups is an empty list: leave it out or name at least one`},
	{"no services", "[[rule]]\nservices = []\nrequire = 'none'",
		`2: services is an empty list: leave it out or name at least one`},
	{"from nowhere", "[[rule]]\nfrom = []\nrequire = 'none'",
		`2: from is an empty list: leave it out or name at least one`},
	{"users is a string", "[[rule]]\nusers = 'alice'",
		`2: users must be a list such as ["a", "b"], not "alice"`},
	{"a user is a number", "[[rule]]\nusers = ['a', 1000]",
		`2: each of users must be an exact name, not 1000`},
	{"a user is a list", "[[rule]]\nusers = ['a',\n['b']]",
		`2: each of users must be an exact name, not a list`},
	{"a user is a pattern", "[[rule]]\nusers = ['*']",
		`2: each of users must be an exact name, not "*"`},
	{"a user is a sudoers group", "[[rule]]\nusers = ['%wheel']",
		`2: each of users must be an exact name, not "%wheel"`},
	{"a user is a netgroup", "[[rule]]\nusers = ['@unix']",
		`2: each of users must be an exact name, not "@unix"`},
	{"a group is negated", "[[rule]]\ngroups = ['!wheel']",
		`2: each of groups must be an exact name or @netgroup, not "!wheel"`},
	{"a netgroup without a name", "[[rule]]\ngroups = ['@']",
		`2: each of groups must be an exact name or @netgroup, not "@"`},
	{"a service is a path", "[[rule]]\nservices = ['/etc/pam.d/sshd']",
		`2: each of services must be the exact name of a PAM service, in lower case, not ` +
			`"/etc/pam.d/sshd"`},
	{"a service is in upper case", "[[rule]]\nservices = ['SSHD']",
		`2: each of services must be the exact name of a PAM service, in lower case, not "SSHD"`},
	{"a host name", "[[rule]]\nfrom = ['gw.example']",
		`2: each of from must be an address or a network such as "10.0.0.0/8", never a host ` +
			`name, not "gw.example"`},
	{"an address is a number", "[[rule]]\nfrom = [10]",
		`2: each of from must be an address or a network such as "10.0.0.0/8", never a host ` +
			`name, not 10`},
	{"host bits", "[[rule]]\nfrom = ['10.1.2.3/8']",
		`2: each of from must be the network as such (10.0.0.0/8?) or one address, not ` +
			`"10.1.2.3/8"`},
	{"host bits in IPv6", "[[rule]]\nfrom = ['2001:db8::1/32']",
		`2: each of from must be the network as such (2001:db8::/32?) or one address, not ` +
			`"2001:db8::1/32"`},
	{"an IPv4 address inside IPv6", "[[rule]]\nfrom = ['::ffff:10.1.2.3']",
		`2: each of from must be the network as such (10.1.2.3?) or one address, not ` +
			`"::ffff:10.1.2.3"`},
	{"an IPv4 network inside IPv6", "[[rule]]\nfrom = ['::ffff:10.0.0.0/104']",
		`2: each of from must be the network as such (10.0.0.0/8?) or one address, not ` +
			`"::ffff:10.0.0.0/104"`},
	{"a zone", "[[rule]]\nfrom = ['fe80::1%eth0']",
		`2: each of from must be an address or a network such as "10.0.0.0/8", never a host ` +
			`name, not "fe80::1%eth0"`},
	{"a prefix too long", "[[rule]]\nfrom = ['10.0.0.0/33']",
		`2: each of from must be an address or a network such as "10.0.0.0/8", never a host ` +
			`name, not "10.0.0.0/33"`},
}

func TestBadFileIsRefusedWithFileAndLine(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse("/etc/latchkey/latchkey.toml", []byte(c.text))
			if err == nil {
				t.Fatalf("accepted as %+v", p)
			}
			if p != nil {
				t.Error("a policy came with the error")
			}
			if want := "/etc/latchkey/latchkey.toml:" + c.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

func TestFileOf64KiBIsAccepted(t *testing.T) {
	parse(t, strings.Repeat("#", maxFile))
}

func TestLinesAreCountedWithCarriageReturns(t *testing.T) {
	_, err := Parse("f", []byte("# a\r\n\r\n[limits]\r\ntries = 0\r\n"))
	if want := "f:4: tries must be a whole number from 1 to 10, not 0"; err == nil ||
		err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestValueMayBeginLinesAfterItsKey(t *testing.T) {
	_, err := Parse("f", []byte("[[rule]]\nusers = [\n  'a',\n\n  '*',\n]\n"))
	if want := `f:5: each of users must be an exact name, not "*"`; err == nil ||
		err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
