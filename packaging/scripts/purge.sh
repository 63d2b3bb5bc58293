#!/bin/sh
# After removal (deb: postrm). Purging keeps who has which devices, the key that opens them, and Twilio's credentials, because
# nothing can bring them back, unless /etc/latchkey/purge-records is there. The account stays: files may be its.
set -e

case $1 in
purge)
	if [ -e /etc/latchkey/purge-records ]; then
		rm -rf /etc/latchkey /var/lib/latchkey
	elif [ -e /var/lib/latchkey/key ]; then
		echo "latchkey: hint: records are kept: to be rid of them: rm -r /etc/latchkey /var/lib/latchkey"
	fi
	;;
esac
