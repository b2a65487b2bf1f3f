#!/usr/bin/env bash
# Puts the images of both architectures under one index, as an OCI layout FOLDER/index, and prints its digest: the thing that is
# signed and pulled. What puts it into a registry is skopeo, because buildah 1.28 reports a push of an index that broke off as done:
#   skopeo copy --all --preserve-digests oci:FOLDER/index:VERSION docker://REPOSITORY:VERSION
#
#   scripts/index.sh FOLDER VERSION [unprivileged]       FOLDER has what scripts/image.sh left there; the layout is FOLDER/index-unprivileged then
set -euo pipefail

folder=${1:?folder}
version=${2:?version}
kind=${3:+-$3}
list=neardns-index-$$
digest_file=$(mktemp)
trap 'rm -f "$digest_file"; buildah manifest rm "$list" >/dev/null 2>&1 || true' EXIT

buildah manifest create "$list" >/dev/null
for arch in amd64 arm64; do
  buildah manifest add --os linux --arch "$arch" "$list" "oci-archive:$folder/neardns-$version-$arch$kind.oci.tar" >/dev/null
done
rm -rf "$folder/index$kind"
buildah manifest push -q --all --format oci --digestfile "$digest_file" "$list" "oci:$folder/index$kind:$version" >&2
digest=$(cat "$digest_file")
if [ "$(skopeo inspect --raw "oci:$folder/index$kind:$version" | sha256sum | cut -d' ' -f1)" != "${digest#sha256:}" ]; then
  echo "the index is not the one that was written: $digest" >&2
  exit 1
fi
echo "$digest"
