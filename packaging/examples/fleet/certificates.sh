#!/bin/sh
# certificates.sh DIR MACHINE…: makes the certificates of a fleet with openssl. DIR/MACHINE is what
# each machine needs; DIR/ca has the keys of both authorities and is kept off the machines.
#
# The authorities are two, because anyone whom etcd's has certified may read and write there: one
# for etcd and its clients, one for the services that hosts ask. Certificates are good for two
# years; run it again before (it keeps the authorities), copy, and restart one machine at a time.
set -eu
umask 077
[ $# -ge 2 ] || { echo "usage: certificates.sh DIR MACHINE..." >&2; exit 2; }
dir=$1
shift
mkdir -p "$dir/ca" "$dir/admin"

# authority NAME makes an authority, unless it is there.
authority() {
	[ ! -e "$dir/ca/$1.crt" ] || return 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-subj "/CN=latchkey $1 authority" -addext "keyUsage=critical,keyCertSign,cRLSign" \
		-keyout "$dir/ca/$1.key" -out "$dir/ca/$1.crt" 2>/dev/null
}

# issue AUTHORITY FILE NAME [ADDRESSES] makes FILE.key and FILE.crt.
issue() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" \
		-keyout "$2.key" -out "$2.csr" 2>/dev/null
	{
		echo "extendedKeyUsage=serverAuth,clientAuth"
		echo "keyUsage=critical,digitalSignature"
		[ -z "${4-}" ] || echo "subjectAltName=$4"
	} >"$2.ext"
	openssl x509 -req -in "$2.csr" -CA "$dir/ca/$1.crt" -CAkey "$dir/ca/$1.key" \
		-set_serial "0x$(openssl rand -hex 16)" -days 730 -extfile "$2.ext" -out "$2.crt" 2>/dev/null
	rm "$2.csr" "$2.ext"
}

authority etcd
authority fleet
issue etcd "$dir/admin/root" root # etcd's administrator, by its name
cp "$dir/ca/etcd.crt" "$dir/admin/etcd-ca.crt"
for machine; do
	mkdir -p "$dir/$machine"
	issue etcd "$dir/$machine/node" "$machine" "DNS:$machine"
	issue etcd "$dir/$machine/client" latchkey-fleetd # the service's user in etcd, by its name
	issue fleet "$dir/$machine/tls" "$machine" "DNS:$machine"
	cp "$dir/ca/etcd.crt" "$dir/$machine/etcd-ca.crt"
	cp "$dir/ca/fleet.crt" "$dir/$machine/fleet-ca.crt"
done
echo "Made in $dir: $*"
