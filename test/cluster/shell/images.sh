#!/usr/bin/env bash
# Makes one container image without a registry: from Debian's packages, from a binary, or from the project's own Dockerfile.
# Never pushes anything. Called by images.ts, which decides what is missing.
#
#   images.sh pause|busybox|tools OUT      OUT: the archive to write
#   images.sh coredns OUT BINARY
#   images.sh neardns OUT CONTEXT          CONTEXT: folder with what the Dockerfile copies
#   images.sh nft TO                       TO: folder for the nft of the image's Debian, to be run on a node with an older one
# Environment: CLUSTER_CACHE, where roots and buildah's storage are kept between runs.
set -euo pipefail
what=$1 out=$2 source=${3:-}
: "${CLUSTER_CACHE:?}"
roots=$CLUSTER_CACHE/roots
mkdir -p "$roots"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=${STORAGE_DRIVER:-overlay} DEBIAN_FRONTEND=noninteractive
suite=trixie

b() { buildah --root "$CLUSTER_CACHE/buildah" --runroot "$CLUSTER_CACHE/buildah-run" "$@"; }
has() { b inspect --type image "$1" >/dev/null 2>&1; }
mirror() { apt-get indextargets --format '$(SITE)' | head -n 1; }

save() { # IMAGE
  mkdir -p "$(dirname "$out")"
  rm -f "$out.new"
  b push -q "$1" "docker-archive:$out.new:$1" >/dev/null
  mv "$out.new" "$out"
}

from_folder() { # IMAGE FOLDER CONFIG...
  local image=$1 folder=$2 container
  shift 2
  container=$(b from scratch)
  b add -q "$container" "$folder" / >/dev/null
  [ $# -eq 0 ] || b config "$@" "$container"
  b commit -q --rm "$container" "$image" >/dev/null
}

debian() { # FOLDER PACKAGES
  [ ! -e "$roots/$1/etc/debian_version" ] || return 0
  rm -rf "${roots:?}/$1.new"
  mmdebstrap --quiet --variant=minbase --mode=root --include="$2" "$suite" "$roots/$1.new" "$(mirror)"
  mv "$roots/$1.new" "$roots/$1"
}

busybox_root() { # FOLDER
  mkdir -p "$1/bin" "$1/etc" "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  local applet
  for applet in $("$1/bin/busybox" --list | grep -vx busybox); do ln -sf busybox "$1/bin/$applet"; done
}

# debian:trixie-slim and node:26-trixie-slim, as the Dockerfile names them. The second is the first with Node and npm in /usr/local.
runtime_base=localhost/debian:$suite-slim
build_base=localhost/node:26-$suite-slim

make_runtime_base() {
  debian slim ca-certificates
  # Package registries are reached through whatever certificates this machine trusts.
  cp /etc/ssl/certs/ca-certificates.crt "$roots/slim/etc/ssl/certs/ca-certificates.crt"
  has "$runtime_base" || from_folder "$runtime_base" "$roots/slim" --cmd /bin/bash
}

make_build_base() {
  has "$build_base" && return 0
  local machine container
  case $(uname -m) in aarch64) machine=arm64 ;; *) machine=x64 ;; esac
  mkdir -p "$roots/node"
  (cd "$roots/node" && npm install --no-save --no-audit --no-fund --ignore-scripts --prefix . "node-linux-$machine@26" npm@11 >/dev/null)
  container=$(b from "$runtime_base")
  b run "$container" -- sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends libatomic1 libstdc++6 && rm -rf /var/lib/apt/lists/*' >/dev/null
  b copy -q "$container" "$roots/node/node_modules/node-linux-$machine/bin/node" /usr/local/bin/node >/dev/null
  b copy -q "$container" "$roots/node/node_modules/npm" /usr/local/lib/node_modules/npm >/dev/null
  b run "$container" -- sh -c 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm; ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx'
  b config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --cmd node "$container"
  b commit -q --rm "$container" "$build_base" >/dev/null
}

case $what in
pause)
  # The kubelet's sandbox only has to live: containerd ends it by SIGKILL.
  rm -rf "$roots/pause"; mkdir -p "$roots/pause/bin"; cp "$(command -v busybox)" "$roots/pause/bin/busybox"
  from_folder localhost/pause:local "$roots/pause" --entrypoint '["/bin/busybox","sleep","2147483647"]' --user 65535:65535
  save localhost/pause:local ;;
busybox)
  rm -rf "$roots/busybox"; busybox_root "$roots/busybox"
  from_folder docker.io/library/busybox:1.37 "$roots/busybox" --cmd sh
  save docker.io/library/busybox:1.37 ;;
tools)
  debian tools dnsperf,bind9-dnsutils,iproute2,libc-bin,mawk,procps
  from_folder localhost/tools:local "$roots/tools" --cmd /bin/bash
  save localhost/tools:local ;;
coredns)
  # The published image has the file capability, too: it runs as nobody, with NET_BIND_SERVICE in its bounding set.
  rm -rf "$roots/coredns"; mkdir -p "$roots/coredns"; cp "$source" "$roots/coredns/coredns"
  setcap cap_net_bind_service=+ep "$roots/coredns/coredns"
  from_folder localhost/coredns:local "$roots/coredns" --entrypoint '["/coredns"]' --user 65532:65532
  save localhost/coredns:local ;;
neardns)
  make_runtime_base
  make_build_base
  b bud --layers --network host --build-arg "BUILD_BASE=$build_base" --build-arg "RUNTIME_BASE=$runtime_base" \
    -t docker.io/library/neardns:0.1.0 "$source"
  save docker.io/library/neardns:0.1.0 ;;
nft)
  container=$(b from docker.io/library/neardns:0.1.0)
  root=$(b mount "$container")
  rm -rf "$out"; mkdir -p "$out/lib"
  cp "$root/usr/sbin/nft" "$out/nft.bin"
  loader=$(find "$root/usr/lib" "$root/lib64" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)
  cp -L "$loader" "$out/ld.so"
  for library in $(chroot "$root" ldd /usr/sbin/nft | awk '$3 ~ /^\// { print $3 }'); do cp -L "$root$library" "$out/lib/"; done
  b rm "$container" >/dev/null
  printf '#!/bin/sh\nexec %s/ld.so --library-path %s/lib %s/nft.bin "$@"\n' "$out" "$out" "$out" >"$out/nft"
  chmod +x "$out/nft" ;;
*)
  echo "what image is $what?" >&2
  exit 2 ;;
esac
