#!/bin/sh
# repository.sh BUILD URL [KEY]: makes an apt repository in BUILD/repository of the packages in
# BUILD/packages, to be served at URL, and signs it with a key of gpg. Beside it go the public key
# and a .sources file for hosts.
#
# Without KEY it is signed with a key made for that, which is kept in BUILD/repository-key.asc: good
# for trying it, and for nothing else. The same packages and the same key give the same bytes, as
# far as the key's kind of signature does (Ed25519 does).
set -eu
umask 022

build=$1 url=$2 key=${3-}
suite=stable component=main
keyring=/etc/apt/keyrings/latchkey.asc

work=$(mktemp -d)
trap 'cleanup' EXIT
cleanup() {
	[ ! -d "$work/gnupg" ] || gpgconf --homedir "$work/gnupg" --kill all
	rm -rf "$work"
}

fail() { echo "repository: error: $*" >&2; exit 1; }

epoch=$(sh packaging/committed.sh) || fail "git does not say when this commit was made"
export LC_ALL=C TZ=UTC

# quietly runs a command whose messages matter only if it fails.
quietly() { "$@" 2>"$work/messages" || { cat "$work/messages" >&2; return 1; }; }

# own_key makes or takes the key that only this repository has.
own_key() {
	export GNUPGHOME="$work/gnupg"
	mkdir -m 0700 "$GNUPGHOME"
	kept=$build/repository-key.asc
	if [ ! -e "$kept" ]; then
		quietly gpg --batch --passphrase '' --faked-system-time "$epoch!" \
			--quick-generate-key 'latchkey, a key for trying the repository' ed25519 sign never
		(umask 077 && gpg --batch --armor --export-secret-keys >"$kept.new")
		mv "$kept.new" "$kept"
	else
		quietly gpg --batch --import "$kept"
	fi
	quietly gpg --batch --with-colons --list-secret-keys >"$work/keys"
	key=$(awk -F: '$1 == "fpr" {print $10; exit}' "$work/keys")
	echo "repository: signed with a key made for this folder; KEY= names your own" >&2
}

# signing_time is the commit's, or the key's if that was made later: no signature is older than its
# key.
signing_time() {
	gpg --batch --with-colons --list-secret-keys "$key" >"$work/keys" || return 1
	awk -F: -v t="$epoch" '($1 == "sec" || $1 == "ssb") && $6 > t {t = $6} END {print t}' "$work/keys"
}

sign() {
	quietly gpg --batch --yes --armor --local-user "$key" --digest-algo SHA512 \
		--faked-system-time "$signed!" "$@"
}

# architectures lists those that there are packages for.
architectures() {
	for deb in "pool/$component"/*.deb; do dpkg-deb -f "$deb" Architecture; done | sort -u
}

# index lists the packages of one architecture, in the order of their files' names.
index() {
	folder=dists/$suite/$component/binary-$1
	mkdir -p "$folder"
	for deb in "pool/$component"/*_"$1".deb; do apt-ftparchive packages "$deb"; done >"$folder/Packages"
	xz -9 --keep "$folder/Packages"
}

# release has the checksum of every index, and is what gets signed.
release() {
	apt-ftparchive \
		-o "APT::FTPArchive::Release::Date=$(date -R -d "@$epoch")" \
		-o APT::FTPArchive::Release::Origin=latchkey -o APT::FTPArchive::Release::Label=latchkey \
		-o "APT::FTPArchive::Release::Suite=$suite" -o "APT::FTPArchive::Release::Codename=$suite" \
		-o "APT::FTPArchive::Release::Components=$component" \
		-o "APT::FTPArchive::Release::Architectures=$(architectures | paste -sd ' ')" \
		-o APT::FTPArchive::MD5=false -o APT::FTPArchive::SHA1=false \
		release "dists/$suite" >"$work/Release"
	mv "$work/Release" "dists/$suite/Release"
	sign --output "dists/$suite/InRelease" --clearsign "dists/$suite/Release"
	sign --output "dists/$suite/Release.gpg" --detach-sign "dists/$suite/Release"
}

# sources is what a host needs to know.
sources() {
	cat <<-END
		# Copy latchkey.asc to $keyring, and this file to /etc/apt/sources.list.d/.
		Types: deb
		URIs: $url
		Suites: $suite
		Components: $component
		Signed-By: $keyring
	END
}

set -- "$build"/packages/*.deb
[ -e "$1" ] || fail "there are no packages in $build/packages; make them first: make packages"
[ -n "$key" ] || own_key
signed=$(signing_time) || fail "gpg has no secret key $key"
mkdir -p "$work/new/pool/$component"
cp "$@" "$work/new/pool/$component/"
(
	cd "$work/new"
	for arch in $(architectures); do index "$arch"; done
	release
	gpg --batch --armor --export-options export-minimal --export "$key" >latchkey.asc
	sources >latchkey.sources
)
rm -rf "$build/repository"
mv "$work/new" "$build/repository"
