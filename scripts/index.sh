#!/usr/bin/env bash
# Puts the images of both architectures under one name, and prints the digest of that index: the thing that is signed and pulled.
#
#   scripts/index.sh FOLDER DESTINATION
#
# FOLDER has what scripts/image.sh left there. DESTINATION is buildah's: docker://REGISTRY/neardns:0.1.0, or oci:FOLDER to look at.
set -euo pipefail

folder=${1:?folder}
destination=${2:?destination}
list=neardns-index-$$
trap 'buildah manifest rm "$list" >/dev/null 2>&1 || true' EXIT

buildah manifest create "$list" >/dev/null
for arch in amd64 arm64; do
  archives=("$folder"/neardns-*-"$arch".oci.tar)
  if [ "${#archives[@]}" -ne 1 ] || [ ! -e "${archives[0]}" ]; then
    echo "not one archive for $arch in $folder" >&2
    exit 1
  fi
  buildah manifest add --os linux --arch "$arch" "$list" "oci-archive:${archives[0]}" >/dev/null
done
digest_file=$(mktemp)
buildah manifest push -q --all --format oci --digestfile "$digest_file" "$list" "$destination" >&2
cat "$digest_file"
echo
rm -f "$digest_file"
