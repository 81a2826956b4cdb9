#!/usr/bin/env bash
# Makes an image that stands in for node:…-slim where no registry is reachable: Debian, Node and npm, and a user `node`.
#   make-node-image.sh <tag> <program of Node> <folder of npm>
# Needs root, debootstrap and a Debian mirror. Prints nothing on success.
set -euo pipefail
tag=$1 node=$2 npm=$3

root=$(mktemp -d /var/tmp/drover-node-image.XXXXXX)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" > "$root.log" 2>&1 \
  || { tail -n 5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc

install -m 755 "$node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
for program in npm npx; do
  ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"
done
# A machine that trusts an authority of its own reaches the package registry through it.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
chroot "$root" useradd --uid 1000 --create-home node

tar -C "$root" -c . | docker import \
  --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' --change 'CMD ["node"]' - "$tag" > /dev/null
