#!/bin/sh
# Installs what `make test`, `make demo` and `make bench` need on a bare Debian 12 or 13 machine,
# and only what is missing. If nothing is missing it does nothing, quickly, and needs no root.
# `deps.sh tests` also installs what `make test` needs, `deps.sh fleet` what `make demo-fleet` needs,
# `deps.sh packages` what `make packages`, its tests and `make repository` need, `deps.sh confined`
# what `make confined` needs.
#
# Go: any Go from 1.21 on fetches the version that go.mod names through the module proxy. Where
# Debian's own is older (Debian 12), Debian 13's packages are unpacked into a cache folder, from the
# machine's own mirror, so that neither libc nor any other part of the system is upgraded; the
# Makefile puts that folder's bin in front of PATH.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/latchkey
export PATH="$cache/go/bin:$PATH" DEBIAN_FRONTEND=noninteractive

say() { echo "deps: $*"; }
fail() { echo "deps: error: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# missing lists the packages to install. A package is missing if a command or file of it is.
missing() {
	have gcc || echo gcc
	have make || echo make
	have ssh || echo openssh-client
	have mmdebstrap || echo mmdebstrap
	[ -e /usr/include/stdio.h ] || echo libc6-dev
	[ -e /usr/include/security/pam_modules.h ] || echo libpam0g-dev
	[ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
	[ -e /usr/share/keyrings/debian-archive-trixie-automatic.gpg ] || echo debian-archive-keyring
	have docker && docker info >/dev/null 2>&1 && return
	have podman || echo podman
	have runc || echo runc
}

# go_enough succeeds if there is a go that can fetch the version it lacks. It runs outside the
# repository, so that it fetches nothing now.
go_enough() {
	have go || return 1
	version=$(cd / && GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
	at_least_121 "${version#go}"
}

at_least_121() {
	case $1 in
	0.* | 1.[0-9] | 1.[0-9].* | 1.1[0-9]* | 1.20*) return 1 ;;
	[0-9]*) return 0 ;;
	*) return 1 ;;
	esac
}

# update refreshes apt's lists, at most once in a run.
updated=
update() {
	[ -z "$updated" ] || return 0
	[ "$(id -u)" = 0 ] || fail "these are missing and only root can install them: $*"
	say "refreshing apt's package lists"
	apt-get update -qq
	updated=yes
}

# scratch makes a folder that is gone when this script ends.
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
scratch() { mkdir "$temporary/$1" && echo "$temporary/$1"; }

install_go() {
	update go
	candidate=$(apt-cache policy golang-go | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}//p')
	if at_least_121 "${candidate:-none}"; then
		say "installing golang-go $candidate"
		apt-get install -qq --no-install-recommends golang-go >/dev/null
	else
		unpack_go
	fi
}

# unpack_go takes Go from Debian 13's packages without installing them.
unpack_go() {
	# shellcheck disable=SC2016 # apt expands these
	site=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
		sed -n 's/^\([^ ]*\) [a-z]* Debian main$/\1/p' | head -n 1)
	[ -n "$site" ] || fail "no Debian mirror among apt's sources"
	work=$(scratch go)
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site trixie main" >"$work/sources.list"
	set -- -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
	apt-get "$@" update
	name=$(apt-cache "$@" depends golang-go | sed -n 's/^ *Depends: \(golang-1\.[0-9]*\)-go$/\1/p' | head -n 1)
	[ -n "$name" ] || fail "Debian 13's golang-go does not say which Go it is"
	say "unpacking $name of Debian 13 into $cache/go"
	(cd "$work" && apt-get "$@" download "$name-go" "$name-src")
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
	rm -rf "$cache/go.new" "$cache/go"
	mkdir -p "$cache/go.new"
	# The package splits GOROOT over /usr/lib and /usr/share with links between them. Here it
	# becomes one folder again.
	cp -aL "$work/root/usr/lib/go-${name#golang-}/." "$cache/go.new/"
	mv "$cache/go.new" "$cache/go"
}

# missing_for_tests: other clients and shells, a decoder of QR codes, and tools that stop a program
# at a system call.
missing_for_tests() {
	have strace || echo strace
	have shellcheck || echo shellcheck
	have zbarimg || echo zbar-tools
	have pskctool || echo pskctool
	have mkfs.btrfs || echo btrfs-progs
	have mkfs.xfs || echo xfsprogs
	have plink || echo putty-tools
	have dbclient || echo dropbear-bin
	have zsh || echo zsh
	have fish || echo fish
	have oathtool || echo oathtool # and apps that read an otpauth URI
	have keepassxc-cli || echo keepassxc
	[ -e /usr/lib/password-store/extensions/otp.bash ] || echo pass-otp
	have gpg || echo gnupg
	[ -e /usr/lib/python3/dist-packages/pyotp ] || echo python3-pyotp
	[ -x /usr/lib/systemd/systemd-journald ] || [ -x /lib/systemd/systemd-journald ] || echo systemd
	have ansible-playbook || echo ansible-core
	have checkmodule || echo checkpolicy
	have semodule_link || echo semodule-utils
	have sesearch || echo setools
	have bzcat || echo bzip2
	# The clients of packaging/doc/clients.md.
	for client in rsync git sshfs mosh curl rclone expect sshpass; do
		have $client || echo $client
	done
	for client in paramiko asyncssh; do
		[ -e /usr/lib/python3/dist-packages/$client ] || echo python3-$client
	done
}

# missing_for_packages: the packages for arm64 are built with a cross compiler and tried under an
# emulator.
missing_for_packages() {
	have git || echo git
	have aarch64-linux-gnu-gcc || echo gcc-aarch64-linux-gnu
	[ -e /usr/aarch64-linux-gnu/include/stdio.h ] || echo libc6-dev-arm64-cross
	have qemu-aarch64 || have qemu-aarch64-static || echo qemu-user
	have lintian || echo lintian
	have rpm || echo rpm
	dpkg -s busybox-static >/dev/null 2>&1 || echo busybox-static # for a root without libraries
	have shellcheck || echo shellcheck
	have xz || echo xz-utils
	have jq || echo jq
	have apt-ftparchive || echo apt-utils
	have gpg || echo gnupg
	have checkmodule || echo checkpolicy
	have semodule_package || echo semodule-utils
}

# missing_for_confined: a virtual machine and its disk.
missing_for_confined() {
	have qemu-system-x86_64 || echo qemu-system-x86
	have mkfs.ext4 || echo e2fsprogs
}

# sysroot unpacks the libraries that arm64 programs are linked against and run on. The packages
# come from the machine's own release and are not installed, so that the machine keeps one
# architecture.
sysroot() {
	[ ! -e "$cache/arm64/usr/include/security/pam_modules.h" ] || return 0
	update "Debian's packages for arm64"
	work=$(scratch arm64)
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root/usr/lib"
	ln -s usr/lib "$work/root/lib"
	set -- -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State::Lists=$work/lists" \
		-o Dir::State::Status=/dev/null -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
	apt-get "$@" update
	say "unpacking libpam for arm64 into $cache/arm64"
	(cd "$work" && apt-get "$@" download libpam0g libpam0g-dev libaudit1 libcap-ng0 libc6)
	for deb in "$work"/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$work/root"; done
	ln -sf libpam.so.0 "$work/root/usr/lib/aarch64-linux-gnu/libpam.so" # the package's is absolute
	mkdir -p "$cache"
	rm -rf "$cache/arm64"
	mv "$work/root" "$cache/arm64"
}

# unpack_etcd gets the etcd that tests start three nodes of. Its packages are not installed, because
# they would start a service on this machine.
unpack_etcd() {
	etcd=$cache/etcd/usr/bin
	{ have etcd || [ -x "$etcd/etcd" ]; } && { have etcdctl || [ -x "$etcd/etcdctl" ]; } && return
	update etcd
	work=$(scratch etcd)
	mkdir "$work/root"
	say "unpacking etcd into $cache/etcd"
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download etcd-server etcd-client)
	for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
	mkdir -p "$cache"
	rm -rf "$cache/etcd"
	mv "$work/root" "$cache/etcd"
}

# unpack_selinux gets Debian's policy for SELinux, which tests link our module with. Installed, it
# would be built for this machine.
unpack_selinux() {
	[ ! -e "$cache/selinux/usr/share/selinux/default/base.pp.bz2" ] || return 0
	update selinux-policy-default
	work=$(scratch selinux)
	say "unpacking selinux-policy-default into $cache/selinux"
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download selinux-policy-default)
	mkdir -p "$cache"
	rm -rf "$cache/selinux"
	dpkg-deb -x "$work"/*.deb "$cache/selinux"
}

# modules fetches the Go modules that are missing, in three tries: go itself makes one. If that fails,
# what needs them says why.
modules() {
	for pause in 2 10 0; do
		go list -deps -test ./... >/dev/null 2>&1 && return
		sleep "$pause"
	done
}

what=${1-}
wanted=$( (
	missing
	[ "$what" != tests ] || missing_for_tests
	[ "$what" != packages ] || missing_for_packages
	[ "$what" != confined ] || missing_for_confined
) | sort -u | tr '\n' ' ')
if [ -n "$wanted" ]; then
	update "$wanted"
	say "installing $wanted"
	# shellcheck disable=SC2086 # a list of words
	apt-get install -qq --no-install-recommends $wanted >/dev/null
fi
go_enough || install_go
go_enough || fail "Go could not be installed"
[ "$what" != packages ] || sysroot
case $what in tests | fleet) unpack_etcd ;; esac
[ "$what" != tests ] || unpack_selinux
[ "$what" != tests ] || modules
