package policy

// keys are all keys of latchkey.toml, by table, for those that are misspelled.
func keys() map[string][]string {
	return map[string][]string{
		"": {"unenrolled", "enroll_by", "enroll_ticket", "require_attestation", "issuer",
			"help"},
		"limits": {"tries", "failures", "lock", "consecutive"},
		"phone":  {"methods", "auto", "sends_per_user", "sends_per_host", "prefixes", "locale"},
		"trust":  {"days", "bind"},
		"notify": {"program"},
		"log":    {"format"},
		"rule": {"users", "groups", "services", "from", "require", "methods", "trust_days",
			"unenrolled", "enroll_by"},
	}
}
