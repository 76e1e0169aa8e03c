#!/bin/sh
# Build the servers of the end-to-end tests: kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, etcd,
# kwok and the distribution registry. What is there already is not built again.
#
# The last line on standard output is the directory of the programs; everything else goes to standard error.
#   ARGOOS_E2E_BIN       where to build; otherwise a folder of the user's cache, named after the pinned versions
#   KUBEBUILDER_ASSETS   a folder with kube-apiserver, etcd and kubectl: those are taken from there
# The first build takes minutes and about 2 GB in Go's caches. Versions are pinned in go.mod (see pin.sh) and here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
registry=v3.1.2

say() { echo "build.sh: $*" >&2; }

assets=""
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    assets=$KUBEBUILDER_ASSETS
    for name in kube-apiserver etcd kubectl; do
        [ -x "$assets/$name" ] || { say "$name is not in KUBEBUILDER_ASSETS ($assets); nothing is taken from there"; assets=""; break; }
    done
fi

pins=$( { cat "$here/go.mod" "$here/go.sum" "$here/build.sh"; echo "$assets"; } | sha256sum | cut -c1-12)
bin=${ARGOOS_E2E_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/argoos/e2e-$pins}
mkdir -p "$bin"
exec 9> "$bin/.lock"
flock 9  # another test run may be building the same

missing() { [ ! -x "$bin/$1" ]; }

if [ -n "$assets" ]; then
    for name in kube-apiserver etcd kubectl; do ln -sfn "$assets/$name" "$bin/$name"; done
fi

wanted=""
for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok registry; do
    if missing "$name"; then wanted="$wanted $name"; fi
done
if [ -z "$wanted" ]; then echo "$bin"; exit 0; fi

command -v go > /dev/null || { say "there is no 'go' on the PATH to build$wanted with; install Go ($(sed -n 's/^go //p' "$here/go.mod") or later)"; exit 1; }
work=$(mktemp -d "$bin/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export CGO_ENABLED=0  # no C compiler is needed then
kubernetes=$(sed -n 's|^\tk8s.io/kubernetes \(v[0-9.]*\).*|\1|p' "$here/go.mod")
# kubectl and the controllers read the server's version, which only the linker can set.
link="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes"

packages=""
for name in $wanted; do
    case $name in
        registry) ;;
        etcd) packages="$packages go.etcd.io/etcd/server/v3" ;;
        kwok) packages="$packages sigs.k8s.io/kwok/cmd/kwok" ;;
        *) packages="$packages k8s.io/kubernetes/cmd/$name" ;;
    esac
done
say "building$wanted in $bin (minutes, the first time)"
if [ -n "$packages" ]; then
    (cd "$here" && go build -mod=readonly -buildvcs=false -trimpath -ldflags "$link" -o "$work/" $packages) >&2
fi
if [ -e "$work/server" ]; then mv "$work/server" "$work/etcd"; fi
if missing registry; then
    # Of its own module, so that it is linked with the libraries its makers chose.
    GOBIN="$work" go install -trimpath -ldflags "-s -w" "github.com/distribution/distribution/v3/cmd/registry@$registry" >&2
fi
for name in $wanted; do mv -f "$work/$name" "$bin/$name"; done
say "built$wanted"
echo "$bin"
