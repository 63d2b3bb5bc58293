#!/bin/sh
# Prints the time that everything made from this source is dated with, in seconds: what
# SOURCE_DATE_EPOCH says; the commit's, even in another user's checkout; or, for a source without
# git, the changelog's.
set -eu

if [ -n "${SOURCE_DATE_EPOCH-}" ]; then
	echo "$SOURCE_DATE_EPOCH"
elif [ -e .git ]; then
	git -c safe.directory='*' log -1 --format=%ct
else
	date -r CHANGELOG.md +%s
fi
