package doctor

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"time"

	"latchkey/enroll/doctor/getent"
	"latchkey/enroll/doctor/server"
	"latchkey/enroll/doctor/sshd"
	"latchkey/enroll/doctor/sshd/ask"
	"latchkey/enroll/doctor/sshd/config"
)

const (
	sshdProgram = "/usr/sbin/sshd"
	sshdBound   = 8 * time.Second // for all questions to one sshd, where Doctor does not say
)

// sshdReport is what sshd says about itself.
type sshdReport struct {
	findings []Finding
	services []string        // of PAM; none: there is no sshd
	keyFirst map[string]bool // by service: on every way to it a key comes first
	dns      string          // where UseDNS is yes; "" if it is no
	keyed    []sshd.Service  // to which a key leads, once for each sshd
	graces   []grace         // of each sshd that ends logins early
}

// note takes down which PAM services a configuration uses.
func (r *sshdReport) note(services []sshd.Service) {
	for _, s := range services {
		if s.Keyed {
			r.keyed = append(r.keyed, s)
		}
		if !slices.Contains(r.services, s.Name) {
			r.services = append(r.services, s.Name)
			r.keyFirst[s.Name] = true
		}
		r.keyFirst[s.Name] = r.keyFirst[s.Name] && s.KeyFirst
	}
}

// checkSSHD asks sshd itself what its configuration comes to, for every region that its Match
// lines cut out.
func (d Doctor) checkSSHD() sshdReport {
	if _, err := os.Lstat(d.Root + sshdProgram); errors.Is(err, fs.ErrNotExist) {
		return sshdReport{findings: []Finding{{sshdProgram, OK, "sshd is not installed", ""}}}
	}
	r := sshdReport{keyFirst: map[string]bool{}}
	for _, s := range server.All(d.Root) {
		r.take(d, s)
	}
	if len(r.services) == 0 {
		r.services = []string{"sshd"}
	}
	if len(r.findings) == 0 {
		r.findings = []Finding{okay("sshd asks for the code on every way in")}
	}
	return r
}

// take examines one sshd.
func (r *sshdReport) take(d Doctor, s server.Server) {
	report, err := d.examineSSHD(s)
	if err != nil {
		r.note([]sshd.Service{{Name: s.Program}})
		r.findings = append(r.findings, fault(s.Label(), err, "sshd -t says what is wrong; "+
			"/run/sshd is made when ssh is started"))
		return
	}
	r.note(report.Services)
	if report.Base.First("usedns") == "yes" {
		r.dns = cmp.Or(report.DNS, s.Label())
	}
	if g, short := d.tooShort(s, report.Base.First("logingracetime")); short {
		r.graces = append(r.graces, g)
	}
	for _, f := range report.Faults {
		r.findings = append(r.findings, sshdFinding(s, f))
	}
}

// sshdFinding puts a fault into words. Its place is the line that it comes of.
func sshdFinding(s server.Server, f sshd.Fault) Finding {
	found := Finding{s.Label(), Error, f.Text, f.Hint}
	if f.Place != "" {
		found.Check = f.Place
	}
	if f.Warning {
		found.Status = Warning
	}
	if f.For != "" {
		found.Detail += " (" + f.For + ")"
	}
	return found
}

// machine is what is known about users and networks here.
func (d Doctor) machine() sshd.Machine {
	var n *getent.Names
	return sshd.Machine{
		Users: func(groups []string) []config.User {
			n = getent.Read(d.system(), groups)
			return n.All()
		},
		User:  func(name string) (config.User, bool) { return n.User(name) },
		Zones: d.zones(),
	}
}

func (d Doctor) bound() time.Duration { return cmp.Or(d.Bound, sshdBound) }

func (d Doctor) sshdCommand(ctx context.Context, args ...string) *exec.Cmd {
	if d.SSHD != nil {
		return d.SSHD(ctx, args...)
	}
	return exec.CommandContext(ctx, d.Root+sshdProgram, args...)
}

// zones are the interfaces with an address of their own link: clients that come by it have an
// address that is in no network.
func (d Doctor) zones() []string {
	if d.system() != "" {
		return nil
	}
	var found []string
	all, _ := net.Interfaces()
	for _, i := range all {
		addrs, _ := i.Addrs()
		local := func(a net.Addr) bool {
			p, err := netip.ParsePrefix(a.String())
			return err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast()
		}
		if slices.ContainsFunc(addrs, local) {
			found = append(found, i.Name)
		}
	}
	return found
}

// examineSSHD asks one sshd about its configuration.
func (d Doctor) examineSSHD(s server.Server) (*sshd.Report, error) {
	file, err := config.Read(d.Root, s.File)
	if err != nil {
		return nil, err
	}
	flags := s.Flags
	if s.File != server.Config {
		flags = append([]string{"-f", s.File}, flags...)
	}
	return sshd.Examination{
		Program: ask.Program{Command: d.sshdCommand, Flags: flags},
		Service: s.Program, Config: file, Machine: d.machine(),
		Clock: time.Now, Bound: d.bound(), Progress: d.Progress,
	}.Run()
}
