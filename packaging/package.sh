#!/bin/sh
# package.sh ARCH VERSION BUILD KIND…: makes packages of one architecture in BUILD/packages, of the
# kinds deb and rpm: latchkey for every host, and latchkey-fleetd for the machines of a fleet's
# service. Beside them go a bill of materials for each of the two, and SHA256SUMS of everything.
#
# A package is the tree that `make install` or `make install-fleetd` lays out, with every file in
# it: that target is the only list of files. The same commit gives the same bytes with the same compilers on any machine, for any
# user, at any time: times are the commit's, modes and owners are written down, and the programs
# contain neither paths nor build ids.
set -eu
umask 022

# Newer versions need modules from hosts that a proxy may not serve. It never enters go.mod, because
# of all the modules it pulls in. $NFPM names another program to use.
nfpm_module=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

arch=$1 VERSION=$2 build=$3
shift 3
work=$build/$arch

fail() { echo "packages: error: $*" >&2; exit 1; }

SOURCE_DATE_EPOCH=$(sh packaging/committed.sh) || fail "git does not say when this commit was made"
export VERSION SOURCE_DATE_EPOCH ARCH="$arch" LC_ALL=C TZ=UTC
unset GOFLAGS GOAMD64 CFLAGS CPPFLAGS LDFLAGS CGO_CFLAGS CGO_CPPFLAGS CGO_LDFLAGS # the user's own

# cross makes this a build for arm64, against the sysroot of deps.sh. On other machines that takes a
# cross compiler.
cross() {
	sysroot=${XDG_CACHE_HOME:-$HOME/.cache}/latchkey/arm64
	lib=$sysroot/usr/lib/aarch64-linux-gnu
	export GOARCH=arm64 CC=aarch64-linux-gnu-gcc STRIP=aarch64-linux-gnu-strip
	export CPPFLAGS="-I$sysroot/usr/include -ffile-prefix-map=$sysroot=/" LDFLAGS="-L$lib -Wl,-rpath-link,$lib"
	export CGO_CFLAGS="-g -O2 $CPPFLAGS" CGO_LDFLAGS="$LDFLAGS"
}

# tree installs the files of one family's package into a folder of its own, with a target of the
# Makefile: tree debian install.
tree() {
	rm -rf "${work:?}/$1"
	make --no-print-directory -s "$2" "B=$work" "DESTDIR=$work/$1" "FAMILY=${1%-fleetd}" PREFIX=/usr ${CC:+"CC=$CC"} >&2
	find "$work/$1" -name pam_latchkey.so -exec "${STRIP:-strip}" --strip-unneeded {} +
	find "$work/$1/usr/share/man" -type f -exec gzip -9n {} +
}

# papers adds the files other than programs that Debian requires of a package: papers TREE PACKAGE.
papers() {
	doc=$1/usr/share/doc/$2
	install -d "$doc" "$1/usr/share/lintian/overrides"
	grep "^\(#\|$2:\)" packaging/lintian-overrides >"$1/usr/share/lintian/overrides/$2"
	chmod 0644 "$1/usr/share/lintian/overrides/$2"
	licenses "$1" /usr/share/common-licenses/Apache-2.0 >"$doc/copyright"
	gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
	rm -f "$doc/CHANGELOG.md"
	[ ! -e "$doc/README.md" ] || sed -i 's,](CHANGELOG.md),](changelog.gz),' "$doc/README.md"
	debian_changelog "$2" | gzip -9nc >"$doc/changelog.Debian.gz"
}

debian_changelog() {
	printf '%s (%s-1) unstable; urgency=medium\n\n' "$1" "$VERSION"
	printf '  * What is new is in changelog.gz.\n'
	printf '\n -- the latchkey authors <latchkey@localhost>  %s\n' "$(date -d "@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %T +0000')"
}

# licenses prints latchkey's license and those of everything that is linked into the programs of a
# tree. A second argument names the file with the text of the Apache license.
licenses() {
	heading latchkey
	cat LICENSE
	heading "Go's standard library"
	cat "$(go env GOROOT)/LICENSE"
	modules "$1" | while read -r module; do
		heading "$module"
		license "$(go list -m -f '{{.Dir}}' "$module")" "${2-}"
	done
}

heading() { printf '\n%s\n%s\n\n' "$1" "$(printf %s "$1" | tr -c '' =)"; }

# modules lists the modules that the programs of a tree say they contain, except those that a replace line
# takes from our own folders.
modules() {
	find "$1" -type f -perm /100 ! -name '*.so' -exec go version -m {} + |
		awk '$1 == "dep" {module = $2; print module} $1 == "=>" && $2 ~ /^\.\// {print "-" module}' | sort -u |
		awk '/^-/ {ours[substr($0, 2)]; next} !($0 in ours)'
}

license() {
	for text in "$1"/LICENSE "$1"/LICENSE.* "$1"/COPYING; do [ ! -e "$text" ] || break; done
	if [ -n "$2" ] && grep -q 'Apache License' "$text"; then
		echo "Licensed under the Apache License, Version 2.0: $2"
	else
		cat "$text"
	fi
	if [ -e "$1/NOTICE" ]; then cat "$1/NOTICE"; fi
}

# contents lists a tree for nfpm, with modes and owners. Only latchkey's own folders belong to the
# package.
contents() {
	echo 'contents:'
	find "$1" -mindepth 1 -type d \( -path '*/latchkey' -o -path '*/latchkey/*' \
		-o -path '*/latchkey-fleetd' -o -path '*/latchkey-fleetd/*' \) \
		-printf '- {type: dir, dst: "/%P", file_info: {mode: 0%m, owner: root, group: root}}\n' | sort
	[ ! -d "$1/etc" ] || find "$1/etc" -type f \
		-printf '- {type: config|noreplace, src: "%p", dst: "/etc/%P", file_info: {mode: 0%m, owner: root, group: root}}\n' | sort
	find "$1" -path "$1/etc" -prune -o -type f \
		-printf '- {src: "%p", dst: "/%P", file_info: {mode: 0%m, owner: root, group: root}}\n' | sort
}

# newest prints the newest version of a library's symbols that the programs of a tree need: newest
# TREE GLIBC.
newest() {
	find "$1" -type f \( -perm /111 -o -name '*.so' \) -exec readelf -V {} + 2>/dev/null |
		sed -n "s/.*Name: \($2_[0-9.]*\) .*/\1/p" | sort -uV | tail -n 1
}

# needs_libc sets what the host's package depends on. The service's program is static.
needs_libc() {
	GLIBC=$(newest "$work/$1" GLIBC)
	[ -n "$GLIBC" ] || fail "the programs in $work/$1 do not say which libc they need"
	export GLIBC GLIBC_VERSION="${GLIBC#GLIBC_}"
}

# pack makes one package of a tree: pack deb debian nfpm.yaml.
pack() {
	{ cat "packaging/$3"; contents "$work/$2"; } >"$work/$2.yaml"
	nfpm package --config "$work/$2.yaml" --packager "$1" --target "$build/packages/" >&2
}

nfpm() {
	if [ -n "${NFPM-}" ]; then
		"$NFPM" "$@"
	else
		env -u GOARCH -u CC -u CGO_CFLAGS -u CGO_LDFLAGS go run "$nfpm_module" "$@"
	fi
}

make_deb() {
	tree debian install
	papers "$work/debian" latchkey
	needs_libc debian
	pack deb debian nfpm.yaml
	tree debian-fleetd install-fleetd
	papers "$work/debian-fleetd" latchkey-fleetd
	pack deb debian-fleetd nfpm.fleetd.yaml
}

make_rpm() {
	tree redhat install
	needs_libc redhat
	license_file redhat latchkey
	pack rpm redhat nfpm.yaml
	tree redhat-fleetd install-fleetd
	license_file redhat-fleetd latchkey-fleetd
	pack rpm redhat-fleetd nfpm.fleetd.yaml
}

# license_file adds the licenses where Fedora has them: license_file redhat latchkey.
license_file() {
	install -d "$work/$1/usr/share/licenses/$2"
	licenses "$work/$1" >"$work/$1/usr/share/licenses/$2/LICENSE"
}

# bills writes down what is linked into the programs of the trees of one family, which are the same
# in both.
bills() {
	for package in latchkey latchkey-fleetd; do
		bill=$build/packages/${package}_$VERSION-1_$arch.cdx.json
		sh packaging/bill.sh "$work/$1${package#latchkey}" "$package" "$arch" "$VERSION" >"$bill.new"
		mv "$bill.new" "$bill"
	done
}

# checksums sums up everything that was made, for `sha256sum -c`.
checksums() {
	cd "$build/packages"
	rm -f SHA256SUMS
	# made elsewhere, because find would see it
	find . -maxdepth 1 -type f -printf '%f\0' | sort -z | xargs -0 sha256sum >../SHA256SUMS.new
	mv ../SHA256SUMS.new SHA256SUMS
}

case $arch in
"$(dpkg --print-architecture)") ;;
arm64) cross ;;
*) fail "$arch can only be built on $arch" ;;
esac
mkdir -p "$build/packages"
for kind in "$@"; do "make_$kind"; done
case " $* " in *" deb "*) bills debian ;; *) bills redhat ;; esac
checksums
