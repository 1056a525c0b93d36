#!/bin/sh
# `make test-bare`: run make targets of the committed project in a fresh Debian that has only make and git.
# `make test-install`: install the service there, with systemd's files but without a running systemd.
#
#   bare.sh SUITE TARGET...   SUITE: bookworm or trixie; the targets run in this order, as root
#   bare.sh SUITE --install
#
# ARCH names another architecture of Debian, such as armhf: qemu-user then runs it, at a twentieth of the speed, on the
# processor that QEMU_CPU names. EDGE_PATIENCE is handed on.
#
# Packages come from where this machine gets its own: the Debian mirror of its apt, the index and the certificates of its pip.
set -eu
cd "$(dirname "$0")/../.."
suite=$1
shift
inside=bare_inside.sh include=make,git
if [ "${1:-}" = --install ]; then
  shift
  inside=install_inside.sh include=make,git,systemd
fi

arch=${ARCH:-$(dpkg --print-architecture)}
if ! command -v mmdebstrap >/dev/null; then
  echo "bare.sh: mmdebstrap is missing; on Debian: sudo apt install -y mmdebstrap" >&2
  exit 1
fi

# mirror LABEL: the address of this machine's mirror of what Debian calls so.
mirror() {
  # shellcheck disable=SC2016  # apt fills this in
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1" | head -n 1
}
main=$(mirror Debian)
security=$(mirror Debian-Security)
if [ -z "$main" ]; then
  echo "bare.sh: this machine's apt has no Debian mirror; run it on Debian, after apt-get update" >&2
  exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Without root, mmdebstrap's root is another user, who has to read all of this.
chmod 755 "$folder"
files=$folder/files
mkdir -p "$files/tmp" "$files/usr/local/share/ca-certificates"
chmod 1777 "$files/tmp"
git bundle create --quiet "$files/tmp/project.bundle" HEAD
cp "tests/machine/$inside" "$files/tmp/inside.sh"
cp /usr/local/share/ca-certificates/*.crt "$files/usr/local/share/ca-certificates/" 2>/dev/null || true

# Only an index that has an address: a folder of this machine is not in the new root.
set_pip() {
  value=$(python3 -m pip config get "$2" 2>/dev/null || true)
  case $value in
    http*) echo "export $1='$value'" ;;
  esac
}
{
  set_pip PIP_INDEX_URL global.index-url
  set_pip PIP_INDEX_URL :env:.index-url
  for name in http_proxy https_proxy no_proxy QEMU_CPU EDGE_PATIENCE; do
    eval "value=\${$name:-}"
    if [ -n "$value" ]; then echo "export $name='$value'"; fi
  done
} >"$files/tmp/environment"

set -- "$suite" "$@"
# This machine's /sys describes its own processor: LiteRT crashes if another one finds that there.
skip=
[ "$arch" = "$(dpkg --print-architecture)" ] || skip=--skip=chroot/mount/sys
mmdebstrap --quiet ${skip:+"$skip"} --arch="$arch" --variant=minbase --include="$include" --format=null \
  --customize-hook="cp -r '$files/.' \"\$1/\"" \
  --customize-hook="chroot \"\$1\" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin sh /tmp/inside.sh $*" \
  "$suite" /dev/null \
  "deb $main $suite main" "deb $main $suite-updates main" ${security:+"deb $security $suite-security main"}
