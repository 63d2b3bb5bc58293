package policy

import "latchkey/pam/safefile"

// DefaultPath is where the policy is unless the module's argument conf= says otherwise.
const DefaultPath = "/etc/latchkey/latchkey.toml"

// Load reads the policy at path below root ("" but in tests). Only root may have been able to
// write it; a policy that is missing, or that anyone else could have written, is an error like one
// that cannot be parsed.
func Load(root, path string) (*Policy, error) {
	text, err := safefile.ReadFile(root+path, safefile.NotWritable, maxFile)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}
