#!/usr/bin/env bash
# Stand-ins for the two bases that the Dockerfile names, made of Debian's and npm's packages, for a machine that reaches no
# image registry. For trying a build, never for a release: they have this machine's CA certificates.
#
#   scripts/bases.sh [amd64|arm64]     localhost/debian:trixie-slim-ARCH and localhost/node:26-trixie-slim-ARCH
#
# Needs root, buildah, mmdebstrap; for another architecture than the machine's also arch-test and qemu-user-static, registered:
#   cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
set -euo pipefail

arch=${1:-$(dpkg --print-architecture)}
work=${BASES_DIR:-${TMPDIR:-/tmp}/neardns-bases}
export BUILDAH_ISOLATION=chroot
debian=localhost/debian:trixie-slim-$arch
node=localhost/node:26-trixie-slim-$arch

case $arch in
  amd64) cpu=x64 ;;
  arm64) cpu=arm64 ;;
  *) echo "unknown architecture: $arch" >&2; exit 2 ;;
esac

has() { buildah inspect --type image "$1" >/dev/null 2>&1; }

make_debian() {
  local root=$work/debian-$arch container
  [ -e "$root/etc/debian_version" ] ||
    mmdebstrap --quiet --mode=root --variant=minbase --architecture="$arch" trixie "$root" \
      "$(apt-get indextargets --format "\$(SITE)" | head -n 1)"
  container=$(buildah from --arch "$arch" scratch)
  buildah add -q "$container" "$root" / >/dev/null
  buildah config --arch "$arch" --cmd /bin/bash "$container"
  buildah commit -q --rm "$container" "$debian" >/dev/null
}

# What the image of the name has: Debian with Node and npm in /usr/local.
make_node() {
  local packages=$work/node-$arch container
  mkdir -p "$packages"
  npm install --prefix "$packages" --no-save --no-audit --no-fund --ignore-scripts --force --os linux --cpu "$cpu" \
    "node-linux-$cpu@26" npm@11 >/dev/null
  container=$(buildah from --arch "$arch" "$debian")
  buildah run "$container" -- sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends libatomic1 libstdc++6'
  buildah copy -q "$container" "$packages/node_modules/node-linux-$cpu/bin/node" /usr/local/bin/node >/dev/null
  buildah copy -q "$container" "$packages/node_modules/npm" /usr/local/lib/node_modules/npm >/dev/null
  buildah copy -q "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
  buildah run "$container" -- sh -c 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && npm --version'
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --cmd node "$container"
  buildah commit -q --rm "$container" "$node" >/dev/null
}

mkdir -p "$work"
has "$debian" || make_debian
has "$node" || make_node
echo "$debian $node"
