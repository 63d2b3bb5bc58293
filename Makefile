# latchkey: two commands matter on a fresh Debian machine: `make demo` and `make test`. Both first
# install what they need (packaging/deps.sh). Once the modules are there, build and install never
# use the network.

PREFIX  ?= /usr
DESTDIR ?=
B       := build

MULTIARCH = $(shell $(CC) -print-multiarch)
LIBEXEC   = $(PREFIX)/libexec/latchkey

# The differences between families of distributions: FAMILY=debian, or redhat for the rpm.
FAMILY ?= debian
ifeq ($(FAMILY),redhat)
SECURITY   = $(PREFIX)/lib64/security
ENROLL_PAM = packaging/enroll.redhat.pam
ZSH        = site-functions
else
SECURITY   = $(PREFIX)/lib/$(MULTIARCH)/security
ENROLL_PAM = packaging/enroll.pam
ZSH        = vendor-completions
endif
EXAMPLES = $(PREFIX)/share/doc/latchkey/examples

# Pages are installed next to each other, with the examples below them.
INSTALLED_LINKS = -e 's,](packaging/doc/,](,g' -e 's,](packaging/,](,g' -e 's,](\.\./\.\./,](,g' -e 's,](\.\./,](,g'

GATE_C       = pam/gate/gate.c pam/gate/split.c pam/gate/application.c pam/gate/child.c pam/gate/base.c \
               pam/gate/names/names.c pam/gate/names/sources.c pam/gate/names/users.c
GATE_CFLAGS  = -std=gnu11 -O2 -g -fPIC -Wall -Wextra -Werror \
               -fvisibility=hidden -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
               "-ffile-prefix-map=$(CURDIR)=."
GATE_LDFLAGS = -shared -Wl,--version-script=pam/gate/exports.map -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs
# The same source gives the same bytes wherever it is built: no path, no state of git, no id that
# depends on either.
GO_LDFLAGS   = -s -w -buildid= -X latchkey/enroll/usage.Version=$(VERSION) -X latchkey/pam/twilio/dispatch.Program=$(LIBEXEC)/latchkey-twilio -X main.enrollProgram=$(LIBEXEC)/latchkey-enroll \
               -X latchkey/pam/notify/dispatch.Program=$(LIBEXEC)/latchkey-notify \
               -X latchkey/pam/fleet/dispatch.Program=$(LIBEXEC)/latchkey-fleet \
               -X "latchkey/pam/safefile.programs=$(LIBEXEC)/latchkey-login $(LIBEXEC)/latchkey-enroll $(PREFIX)/bin/enroll"
GO_FLAGS     = -trimpath -buildvcs=false -ldflags '$(GO_LDFLAGS)'

# go build asks git about the checkout, and git refuses to answer about another user's.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

# deps.sh puts a Go here where Debian's own is too old.
export PATH := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/latchkey/go/bin:$(PATH)

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
GREMLINS    = github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0

SCRIPTS      = $(wildcard packaging/*.sh packaging/*/*.sh packaging/*/*/*.sh)
# A mutant that makes a test wait is given up after this many times the tests' normal duration.
MUTATE_FLAGS ?= --workers 2 --timeout-coefficient 20

# Builds the gate's C again, with AddressSanitizer and UndefinedBehaviorSanitizer.
SANITIZED = CC=gcc CGO_ENABLED=1 CGO_LDFLAGS="-fsanitize=undefined" \
            CGO_CFLAGS="-O1 -g -fsanitize=undefined -fno-sanitize-recover=all"

.PHONY: build install install-fleetd demo demo-fleet test confined faults lint mutate bench bench-fleet fuzz packages repository clean deps deps-tests

MAN        = enroll.8 fleet.toml.5 latchkey.toml.5 pam_latchkey.8
FLEETD_MAN = latchkey-fleetd.8 fleetd.toml.5

# What a host gets, and what a machine of a fleet's service gets.
HOST   = $(B)/pam_latchkey.so $(B)/latchkey-login $(B)/latchkey-enroll $(B)/latchkey-twilio $(B)/latchkey-notify \
         $(B)/latchkey-fleet $(B)/enroll $(MAN:%=$(B)/%)
FLEETD = $(B)/latchkey-fleetd $(FLEETD_MAN:%=$(B)/%)

# SELinux's module is built only for the distributions that have a policy for it to fit.
ifeq ($(FAMILY),redhat)
HOST += $(B)/latchkey.pp
endif

build: $(HOST) $(FLEETD)

# Format 19 is that of the oldest systems, such as RHEL 8.
$(B)/latchkey.pp: packaging/selinux/latchkey.te packaging/selinux/latchkey.fc
	@mkdir -p $(B)
	checkmodule -M -m -c 19 -o $(B)/latchkey.mod $<
	semodule_package -o $@ -m $(B)/latchkey.mod -f packaging/selinux/latchkey.fc

$(B)/%: packaging/man/%.md
	@mkdir -p $(B)
	GOARCH= CGO_ENABLED=0 go tool go-md2man -in $< -out $@

# Always rebuilt, because it contains the path of the login program.
.PHONY: $(B)/pam_latchkey.so
$(B)/pam_latchkey.so: $(GATE_C) pam/gate/gate.h pam/gate/names/names.h pam/gate/exports.map Makefile
	@mkdir -p $(B)
	$(CC) $(CPPFLAGS) $(GATE_CFLAGS) -DLATCHKEY_LOGIN='"$(LIBEXEC)/latchkey-login"' \
		-DLATCHKEY_ENROLL='"$(PREFIX)/bin/enroll"' $(GATE_C) $(GATE_LDFLAGS) $(LDFLAGS) -lpam -ldl -o $@

# Static and without cgo: nothing of the host's libraries, name services or locale runs in the login
# program.
.PHONY: $(B)/latchkey-login $(B)/latchkey-enroll $(B)/latchkey-twilio $(B)/latchkey-notify $(B)/latchkey-fleet $(B)/latchkey-fleetd $(B)/enroll
$(B)/latchkey-login:
	CGO_ENABLED=0 go build $(GO_FLAGS) -o $@ ./pam/login

$(B)/latchkey-enroll:
	CGO_ENABLED=0 go build $(GO_FLAGS) -o $@ ./enroll/firstlogin

$(B)/latchkey-twilio:
	CGO_ENABLED=0 go build $(GO_FLAGS) -o $@ ./pam/twilio

$(B)/latchkey-notify:
	CGO_ENABLED=0 go build $(GO_FLAGS) -o $@ ./pam/notify

$(B)/latchkey-fleet:
	CGO_ENABLED=0 go build $(GO_FLAGS) -o $@ ./pam/fleet/helper

$(B)/latchkey-fleetd:
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(GO_LDFLAGS) -X main.version=$(VERSION)' -o $@ ./pam/fleet/fleetd

$(B)/enroll:
	CGO_ENABLED=1 go build $(GO_FLAGS) -buildmode=pie -ldflags '$(GO_LDFLAGS) -extldflags "-Wl,-z,relro,-z,now"' -o $@ ./enroll

# AppArmor's profiles, which name the programs by their paths. They do nothing until they are loaded.
LIBEXEC_PROFILES = $(patsubst %,usr.libexec.latchkey.latchkey-%,login enroll twilio notify fleet)
profiles = @for f in $(1); do test -e $(DESTDIR)/etc/apparmor.d/$$f || \
		{ sed -e 's,/usr/libexec/latchkey/,$(LIBEXEC)/,' -e 's,/usr/bin/enroll,$(PREFIX)/bin/enroll,' \
			-e 's,/usr/sbin/latchkey,$(PREFIX)/sbin/latchkey,' packaging/apparmor/$$f >$(B)/profile && \
		install -D -m 0644 $(B)/profile $(DESTDIR)/etc/apparmor.d/$$f; } || exit 1; done

# Installs what build made. It fetches nothing, creates no account, and changes no existing
# configuration.
install: $(HOST)
	install -d -m 0755 $(DESTDIR)$(SECURITY) $(DESTDIR)$(LIBEXEC) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)/etc/pam.d $(DESTDIR)/etc/latchkey
	install -d -m 0700 $(DESTDIR)/etc/latchkey/users $(DESTDIR)/var/lib/latchkey $(DESTDIR)/var/lib/latchkey/users
	install -m 0755 $(B)/latchkey-login $(DESTDIR)$(LIBEXEC)/.latchkey-login.new
	install -m 0755 $(B)/latchkey-enroll $(DESTDIR)$(LIBEXEC)/.latchkey-enroll.new
	install -m 0711 $(B)/latchkey-twilio $(DESTDIR)$(LIBEXEC)/.latchkey-twilio.new
	install -m 0755 $(B)/latchkey-notify $(DESTDIR)$(LIBEXEC)/.latchkey-notify.new
	install -m 0755 $(B)/latchkey-fleet $(DESTDIR)$(LIBEXEC)/.latchkey-fleet.new
	install -m 0644 $(B)/pam_latchkey.so $(DESTDIR)$(SECURITY)/.pam_latchkey.so.new
	install -m 4755 $(B)/enroll $(DESTDIR)$(PREFIX)/bin/.enroll.new
	mv $(DESTDIR)$(LIBEXEC)/.latchkey-login.new $(DESTDIR)$(LIBEXEC)/latchkey-login
	mv $(DESTDIR)$(LIBEXEC)/.latchkey-enroll.new $(DESTDIR)$(LIBEXEC)/latchkey-enroll
	mv $(DESTDIR)$(LIBEXEC)/.latchkey-twilio.new $(DESTDIR)$(LIBEXEC)/latchkey-twilio
	mv $(DESTDIR)$(LIBEXEC)/.latchkey-notify.new $(DESTDIR)$(LIBEXEC)/latchkey-notify
	mv $(DESTDIR)$(LIBEXEC)/.latchkey-fleet.new $(DESTDIR)$(LIBEXEC)/latchkey-fleet
	mv $(DESTDIR)$(SECURITY)/.pam_latchkey.so.new $(DESTDIR)$(SECURITY)/pam_latchkey.so
	mv $(DESTDIR)$(PREFIX)/bin/.enroll.new $(DESTDIR)$(PREFIX)/bin/enroll
	install -d -m 0755 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0644 $(B)/latchkey.toml.5 $(B)/fleet.toml.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 0644 $(B)/enroll.8 $(B)/pam_latchkey.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -D -m 0644 packaging/completions/enroll.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/enroll
	install -D -m 0644 packaging/completions/enroll.zsh $(DESTDIR)$(PREFIX)/share/zsh/$(ZSH)/_enroll
	install -D -m 0644 packaging/completions/enroll.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/enroll.fish
	install -D -m 0644 packaging/sshd.conf $(DESTDIR)$(PREFIX)/share/latchkey/sshd.conf
	install -D -m 0644 packaging/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/latchkey.conf
ifeq ($(FAMILY),debian)
	install -D -m 0644 packaging/pam-config $(DESTDIR)$(PREFIX)/share/pam-configs/latchkey
	$(call profiles,abstractions/latchkey usr.bin.enroll $(LIBEXEC_PROFILES))
else
	install -D -m 0644 $(B)/latchkey.pp $(DESTDIR)$(PREFIX)/share/selinux/packages/latchkey.pp
endif
	install -d $(DESTDIR)$(PREFIX)/share/doc/latchkey
	for f in README.md SECURITY.md CHANGELOG.md packaging/doc/*.md; do \
		sed $(INSTALLED_LINKS) $$f >$(B)/page && \
		install -m 0644 $(B)/page $(DESTDIR)$(PREFIX)/share/doc/latchkey/$$(basename $$f) || exit 1; done
	install -m 0644 packaging/doc/*.svg $(DESTDIR)$(PREFIX)/share/doc/latchkey/
	for f in $$(cd packaging/examples && find * -type f); do \
		install -D -m 0644 packaging/examples/$$f $(DESTDIR)$(EXAMPLES)/$$f || exit 1; done
	for f in $$(cd packaging/selinux && echo *); do \
		install -D -m 0644 packaging/selinux/$$f $(DESTDIR)$(PREFIX)/share/doc/latchkey/selinux/$$f || exit 1; done
	test -e $(DESTDIR)/etc/latchkey/latchkey.toml || install -m 0644 packaging/latchkey.toml $(DESTDIR)/etc/latchkey/latchkey.toml
	test -e $(DESTDIR)/etc/shadow-maint/userdel-post.d/latchkey || install -D -m 0755 packaging/scripts/userdel.sh $(DESTDIR)/etc/shadow-maint/userdel-post.d/latchkey
	test -e $(DESTDIR)/etc/pam.d/enroll || install -m 0644 $(ENROLL_PAM) $(DESTDIR)/etc/pam.d/enroll

# Installs the service of a fleet, which a host does not need. It fetches nothing, creates no
# account, starts nothing and has no configuration yet.
FLEETD_DOC = $(DESTDIR)$(PREFIX)/share/doc/latchkey-fleetd
install-fleetd: $(FLEETD)
	install -D -m 0755 $(B)/latchkey-fleetd $(DESTDIR)$(PREFIX)/sbin/.latchkey-fleetd.new
	mv $(DESTDIR)$(PREFIX)/sbin/.latchkey-fleetd.new $(DESTDIR)$(PREFIX)/sbin/latchkey-fleetd
	install -D -m 0644 packaging/latchkey-fleetd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/latchkey-fleetd.service
	install -D -m 0644 packaging/sysusers.fleetd.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/latchkey-fleetd.conf
ifeq ($(FAMILY),debian)
	$(call profiles,usr.sbin.latchkey-fleetd)
endif
	install -D -m 0644 $(B)/latchkey-fleetd.8 $(DESTDIR)$(PREFIX)/share/man/man8/latchkey-fleetd.8
	install -D -m 0644 $(B)/fleetd.toml.5 $(DESTDIR)$(PREFIX)/share/man/man5/fleetd.toml.5
	for f in $$(cd packaging/examples/fleet && find * -type f); do \
		install -D -m 0644 packaging/examples/fleet/$$f $(FLEETD_DOC)/examples/$$f || exit 1; done

deps:
	@sh packaging/deps.sh

deps-tests:
	@sh packaging/deps.sh tests

demo: deps build
	@go run ./sshd/demo

# Three nodes of etcd, two services and two hosts: one enrollment, and each code once.
demo-fleet: build
	@sh packaging/deps.sh fleet
	@go run ./sshd/fleet/demo

# Many tests wait more than they compute: for a lock, a container, a client. So more of them run at
# once than there are processors. The timeout is for what hangs, and not for machines that are slow.
PATIENTLY = -count=1 -timeout 3h -parallel 5

# Everything: all packages, again with the race detector and the sanitizers, and logins in
# containers. -count=1, because go's cache of results does not know the programs that tests build
# and start.
test: deps-tests build lint
	go test $(PATIENTLY) -p 4 $$(go list ./... | grep -v -e /sshd$$ -e /sshd/fleet$$ -e /packaging$$)
	go test $(PATIENTLY) -p 4 -race ./pam/...
	$(SANITIZED) go test -count=1 -timeout 3h -asan ./pam/gate/...
	go test $(PATIENTLY) ./packaging ./sshd ./sshd/fleet

# The fault tests of a fleet, all of them, which `make test` runs a sample of. It takes an hour.
# SEED=N repeats what a run with that seed did.
faults: deps-tests build
	go test -count=1 -timeout 4h -parallel 1 -v ./sshd/fleet -whole $(if $(SEED),-seed $(SEED))

lint: deps-tests
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'lint: gofmt would change these'; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	shellcheck $(SCRIPTS)
	@for file in $(GATE_C); do \
		echo "gcc -fanalyzer $$file"; \
		gcc $(CPPFLAGS) $(GATE_CFLAGS) -fanalyzer -DLATCHKEY_LOGIN='"$(LIBEXEC)/latchkey-login"' -c $$file -o /dev/null || exit 1; done
	@sh packaging/vulnerabilities.sh $(GOVULNCHECK)

# Logins under AppArmor's profiles, enforced by the kernels of Debian 12 and 13 in virtual machines,
# with systemd. Emulated, it takes half an hour. SUITES=trixie tries one.
confined: deps
	@sh packaging/deps.sh confined
	@go run ./sshd/confined $(SUITES)

# How many changes to the code its own tests notice, package by package. It takes hours and, the
# first time, the module proxy.
MUTATED ?= policy factor limit flow state record session safefile strict
mutate: deps-tests
	@for name in $(MUTATED); do echo "mutate: pam/$$name"; go run $(GREMLINS) unleash $(MUTATE_FLAGS) ./pam/$$name || exit 1; done

# What latchkey adds to a login, in about ten minutes: BENCH="-rounds 20 -users 1000" for less of
# it, BENCH=-readme to put the result into README and packaging/doc.
bench: deps build
	@go run ./sshd/bench $(BENCH)

# What a fleet adds to a login, and how many logins its services bear.
bench-fleet: build
	@sh packaging/deps.sh fleet
	@go run ./sshd/fleet/bench

FUZZTIME ?= 30s
fuzz: deps
	@for target in $$(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$target); do \
			echo "fuzz: $$name in $$(dirname $$target)"; \
			go test ./$$(dirname $$target) -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

# The version is that of the newest heading in CHANGELOG.md.
VERSION ?= $(shell sed -n 's/^\#\# \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
ARCHES  ?= $(if $(filter amd64,$(shell dpkg --print-architecture)),amd64 arm64,$(shell dpkg --print-architecture))
KINDS   ?= deb rpm

packages:
	@sh packaging/deps.sh packages
	@for arch in $(ARCHES); do sh packaging/package.sh $$arch $(VERSION) $(B) $(KINDS) || exit 1; done

# An apt repository of what `make packages` made: KEY names the key of gpg that signs it, URL where
# it will be served.
URL ?= file:$(abspath $(B))/repository
repository:
	@sh packaging/deps.sh packages
	@sh packaging/repository.sh $(B) '$(URL)' '$(KEY)'

clean:
	rm -rf $(B)
