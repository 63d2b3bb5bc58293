#!/bin/sh
# machine.sh DIR THIS MACHINE…: sets up this machine, THIS, as one of a fleet's: the certificates
# from DIR/THIS, /etc/default/etcd and /etc/latchkey/fleetd.toml. All machines are listed, in the
# same order everywhere. It starts nothing.
set -eu
umask 022
[ $# -ge 3 ] || { echo "usage: machine.sh DIR THIS MACHINE..." >&2; exit 2; }
files=$1/$2
this=$2
shift 2
fail() { echo "machine.sh: error: $*" >&2; exit 1; }
case " $* " in *" $this "*) ;; *) fail "$this is not one of the machines: $*" ;; esac
[ -d "$files" ] || fail "there is no $files: copy it from where certificates.sh was run"

# keep USER FOLDER NAME AS copies a certificate and its key, which only USER may read.
keep() {
	install -o "$1" -g "$1" -m 0644 "$files/$3.crt" "$2/$4.crt"
	install -o "$1" -g "$1" -m 0600 "$files/$3.key" "$2/$4.key"
}

# urls PREFIX PORT lists all machines: "mfa1=https://mfa1:2380,…" or "https://mfa1:2379", ….
members=
services=
etcds=
for machine; do
	members=${members:+$members,}$machine=https://$machine:2380
	services="${services:+$services, }\"https://$machine:7443\""
	etcds="${etcds:+$etcds, }\"https://$machine:2379\""
done

install -d -m 0755 /etc/etcd /etc/latchkey
install -m 0644 "$files/etcd-ca.crt" /etc/etcd/ca.crt
keep etcd /etc/etcd node node
cat >/etc/default/etcd <<END
ETCD_NAME=$this
ETCD_DATA_DIR=/var/lib/etcd/latchkey
ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380
ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379
ETCD_ADVERTISE_CLIENT_URLS=https://$this:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://$this:2380
ETCD_INITIAL_CLUSTER=$members
ETCD_INITIAL_CLUSTER_TOKEN=latchkey
ETCD_CLIENT_CERT_AUTH=true
ETCD_PEER_CLIENT_CERT_AUTH=true
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_CERT_FILE=/etc/etcd/node.crt
ETCD_KEY_FILE=/etc/etcd/node.key
ETCD_PEER_CERT_FILE=/etc/etcd/node.crt
ETCD_PEER_KEY_FILE=/etc/etcd/node.key
ETCD_QUOTA_BACKEND_BYTES=8589934592
ETCD_AUTO_COMPACTION_RETENTION=1
END

state=/var/lib/latchkey-fleetd
install -d -o latchkey-fleetd -g latchkey-fleetd -m 0700 $state
install -m 0644 "$files/fleet-ca.crt" /etc/latchkey/fleet-ca.pem
install -m 0644 "$files/etcd-ca.crt" /etc/latchkey/etcd-ca.pem
keep latchkey-fleetd $state tls tls
keep latchkey-fleetd $state client etcd
[ -e /etc/latchkey/fleetd.toml ] || cat >/etc/latchkey/fleetd.toml <<END
name         = "$this"
listen       = ":7443"
tls_cert     = "$state/tls.crt"
tls_key      = "$state/tls.key"
services     = [$services]
ca_file      = "/etc/latchkey/fleet-ca.pem"
etcd         = [$etcds]
etcd_ca      = "/etc/latchkey/etcd-ca.pem"
etcd_cert    = "$state/etcd.crt"
etcd_key     = "$state/etcd.key"
host_limit   = "30/10m"
END
