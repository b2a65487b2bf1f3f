#!/usr/bin/env bash
# Builds the image of one architecture from the committed tree, and leaves it with its list of contents in a folder:
#   neardns-VERSION-ARCH.oci.tar        an OCI archive (skopeo, buildah, podman and containerd read it)
#   neardns-VERSION-ARCH.packages.tsv   the Debian packages in it, for scripts/sbom.ts
#
#   scripts/image.sh amd64|arm64 FOLDER
#
# BUILD_BASE and RUNTIME_BASE name the bases; a release gives both by digest. Needs buildah (1.28 or newer) and git; another
# architecture than the machine's needs binfmt_misc with qemu (scripts/bases.sh says how).
# Layers get the time of the commit, so that the same commit, bases and packages make the same bytes (docs/release.md).
set -euo pipefail

arch=${1:?amd64 or arm64}
out=${2:?folder}
root=$(cd "$(dirname "$0")/.." && pwd)
: "${BUILD_BASE:?}" "${RUNTIME_BASE:?}"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/package.json")
revision=$(git -C "$root" rev-parse HEAD)
seconds=$(git -C "$root" show -s --format=%ct HEAD)
image=localhost/neardns:$version-$arch
name=$out/neardns-$version-$arch
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
git -C "$root" archive HEAD | tar x -C "$context"
mkdir -p "$out"

buildah bud --no-cache --network host --arch "$arch" --format oci --timestamp "$seconds" \
  --build-arg "BUILD_BASE=$BUILD_BASE" --build-arg "RUNTIME_BASE=$RUNTIME_BASE" \
  --label org.opencontainers.image.title=neardns \
  --label "org.opencontainers.image.version=$version" \
  --label "org.opencontainers.image.revision=$revision" \
  --label org.opencontainers.image.licenses=Apache-2.0 \
  --label "org.opencontainers.image.base.name=$RUNTIME_BASE" \
  -t "$image" "$context"

container=$(buildah from --pull-never --arch "$arch" "$image")
# shellcheck disable=SC2016 # the fields are dpkg-query's
buildah run "$container" -- dpkg-query -W -f '${source:Package}\t${source:Version}\t${Package}\t${Version}\t${Architecture}\n' \
  >"$name.packages.tsv"
buildah rm "$container" >/dev/null
rm -f "$name.oci.tar"
buildah push -q "$image" "oci-archive:$name.oci.tar:neardns:$version"
sha256sum "$name.oci.tar"
