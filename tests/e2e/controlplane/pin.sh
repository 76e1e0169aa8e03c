#!/bin/sh
# Write go.mod and go.sum anew for the versions below. Run it after changing one; build.sh then builds them.
#
# k8s.io/kubernetes is no ordinary dependency: its go.mod replaces its staging modules by folders that only its own
# repository has. The same modules are published as v0.X, so the replace block is repeated with those.
set -eu
cd "$(dirname "$0")"

kubernetes=v1.36.3
etcd=v3.6.8  # what k8s.io/kubernetes names in its own go.mod
kwok=v0.8.0

theirs=$(go mod download -json "k8s.io/kubernetes@$kubernetes" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
staging=v0.${kubernetes#v1.}
rm -f go.sum
{
    printf 'module argoos.io/tests/controlplane\n\n'
    sed -n '/^go 1/p; /^godebug /p' "$theirs"
    printf '\ntool (\n'
    printf '\tk8s.io/kubernetes/cmd/%s\n' kube-apiserver kube-controller-manager kube-scheduler kubectl
    printf '\tgo.etcd.io/etcd/server/v3\n\tsigs.k8s.io/kwok/cmd/kwok\n)\n'
    printf '\nrequire (\n'
    printf '\tgo.etcd.io/etcd/server/v3 %s\n\tk8s.io/kubernetes %s\n\tsigs.k8s.io/kwok %s\n)\n' "$etcd" "$kubernetes" "$kwok"
    printf '\nreplace (\n'
    sed -n "s|^\t\(k8s.io/[a-z-]*\) => ./staging/src/k8s.io/.*|\t\1 => \1 $staging|p" "$theirs"
    printf ')\n'
} > go.mod
go mod tidy
