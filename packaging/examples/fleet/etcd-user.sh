#!/bin/sh
# etcd-user.sh DIR MACHINE…: gives etcd its two users, once: root, who has every right, and
# latchkey-fleetd, whose rights end at latchkey's keys. Neither has a password; etcd knows them by
# their certificates.
set -eu
[ $# -ge 2 ] || { echo "usage: etcd-user.sh DIR MACHINE..." >&2; exit 2; }
dir=$1
shift
endpoints=
for machine; do endpoints=${endpoints:+$endpoints,}https://$machine:2379; done

ctl() {
	ETCDCTL_API=3 etcdctl --endpoints "$endpoints" --cacert "$dir/admin/etcd-ca.crt" \
		--cert "$dir/admin/root.crt" --key "$dir/admin/root.key" "$@"
}

ctl endpoint health
ctl user add root --no-password
ctl user grant-role root root
ctl user add latchkey-fleetd --no-password
ctl role add latchkey-fleetd
ctl role grant-permission latchkey-fleetd readwrite /latchkey/1/ --prefix=true
ctl user grant-role latchkey-fleetd latchkey-fleetd
ctl auth enable
