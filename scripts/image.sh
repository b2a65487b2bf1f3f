#!/usr/bin/env bash
# Builds both images of one architecture from the committed tree, and leaves them with their list of contents in a folder:
#   neardns-VERSION-ARCH.oci.tar                an OCI archive (skopeo, buildah, podman and containerd read it)
#   neardns-VERSION-ARCH-unprivileged.oci.tar   the same with user 65532, for pods that change nothing on the node
#   neardns-VERSION-ARCH.packages.tsv           the Debian packages in both, for scripts/sbom.ts
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

build() {
  buildah bud --no-cache --network host --arch "$arch" --format oci --timestamp "$seconds" \
    --build-arg "BUILD_BASE=$BUILD_BASE" --build-arg "RUNTIME_BASE=$RUNTIME_BASE" \
    --label org.opencontainers.image.title=neardns \
    --label "org.opencontainers.image.version=$version" \
    --label "org.opencontainers.image.revision=$revision" \
    --label org.opencontainers.image.licenses=Apache-2.0 \
    --label "org.opencontainers.image.base.name=$RUNTIME_BASE" \
    "$@" "$context"
}
build -t "$image"
build --target unprivileged -t "$image-unprivileged"

container=$(buildah from --pull-never --arch "$arch" "$image")
# shellcheck disable=SC2016 # the fields are dpkg-query's
buildah run "$container" -- dpkg-query -W -f '${source:Package}\t${source:Version}\t${Package}\t${Version}\t${Architecture}\n' \
  >"$name.packages.tsv"
buildah rm "$container" >/dev/null
for kind in '' -unprivileged; do
  rm -f "$name$kind.oci.tar"
  buildah push -q "$image$kind" "oci-archive:$name$kind.oci.tar:neardns:$version$kind"
  sha256sum "$name$kind.oci.tar"
done
