package suite

// Distribution is a Debian release whose sshd the suite logs in to.
type Distribution struct {
	Name    string // as tests are named
	Suite   string // as its mirror names it
	OpenSSH string // as its sshd names itself in the SSH banner
	// serviceOption: sshd has PAMServiceName (since OpenSSH 9.8); before, the service is the base
	// name of argv[0].
	serviceOption bool
}

// Debian12 has OpenSSH 9.2, one program; Debian13 has OpenSSH 10, split in three, with penalties
// for failing clients.
var (
	Debian12 = &Distribution{Name: "debian 12", Suite: "bookworm", OpenSSH: "OpenSSH_9.2"}
	Debian13 = &Distribution{Name: "debian 13", Suite: "trixie", OpenSSH: "OpenSSH_10.0",
		serviceOption: true}
)

// Distributions are all that the suite knows.
var Distributions = []*Distribution{Debian12, Debian13}

// packages is what an image holds beside Debian's minimal base.
var packages = []string{
	"openssh-server", "openssh-sftp-server", "openssh-client", "libpam-modules", "passwd",
	"login", "sudo",
	"libpam-google-authenticator", "libpam-oath", "libpam-u2f", "libnss-extrausers", "pamtester",
	"time",
	"python3", // which Ansible needs on its hosts
	"rsync", "git", "mosh",
}
