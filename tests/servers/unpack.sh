#!/bin/sh
# Fetch Debian's docker-registry (2.8.2) and etcd (3.4) and unpack the programs, without installing the packages:
# an installation would start both as services. Needs apt, but no root.
#
# The last line on standard output is the directory of the programs; everything else goes to standard error.
#   ARGOOS_E2E_DEBIAN   where to unpack; otherwise a folder of the user's cache
set -eu
bin=${ARGOOS_E2E_DEBIAN:-${XDG_CACHE_HOME:-$HOME/.cache}/argoos/e2e-debian-bookworm}
mkdir -p "$bin"
exec 9> "$bin/.lock"
flock 9

if [ ! -x "$bin/docker-registry" ] || [ ! -x "$bin/etcd" ]; then
    for program in apt-get dpkg-deb; do
        command -v $program > /dev/null || { echo "unpack.sh: there is no $program; registry 2.8.2 and etcd 3.4 come from Debian 12" >&2; exit 1; }
    done
    work=$(mktemp -d "$bin/.unpack.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    apt-get -q -o APT::Sandbox::User= download docker-registry etcd-server >&2 || {
        echo "unpack.sh: apt-get could not download docker-registry and etcd-server; run 'apt-get update' as root" >&2
        exit 1
    }
    for package in *.deb; do dpkg-deb -x "$package" tree; done
    mv -f tree/usr/bin/docker-registry tree/usr/bin/etcd "$bin/"
fi
echo "$bin"
