#!/bin/sh
# The inside of bare.sh: what an ordinary user and root see when they type make in a Debian that has only make and git.
set -eu
suite=$1
shift
# shellcheck disable=SC1091  # bare.sh writes it
. /tmp/environment

say() {
  echo "bare $suite: $*"
}

fail() {
  say "FAILED: $*"
  exit 1
}

# The installer of a real Debian writes this file; Bookworm does not know localhost without it.
[ -e /etc/hosts ] || printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' > /etc/hosts

# mmdebstrap mounts /proc read-only, and some tests set what the kernel keeps there of a process.
mount -o remount,rw /proc 2>/dev/null || mount -t proc proc /proc 2>/dev/null || true

git -c advice.detachedHead=false -c init.defaultBranch=main clone --quiet /tmp/project.bundle /src
git -c advice.detachedHead=false -c init.defaultBranch=main clone --quiet /tmp/project.bundle /tmp/user
chown -R nobody /tmp/user

# as_user COMMAND...: in the clone of a user who has no sudo. Prints what the command says; its status is in `status`.
as_user() {
  status=0
  said=$(cd /tmp/user && runuser -u nobody -- env HOME=/tmp/user "$@" 2>&1) || status=$?
}

# What a user who may install nothing is told.
for target in demo test; do
  as_user make "$target"
  say "make $target, as a user without sudo: $said"
  [ "$status" -ne 0 ] || fail "make $target does not stop"
  lines=$(echo "$said" | grep -c "^setup.sh: packages are missing; paste this line: su -l -c 'apt-get update && .*'$") || true
  [ "$lines" -eq 1 ] || fail "make $target does not say in one line what to paste"
done
for package in python3-venv mosquitto chromium systemd shellcheck openssl; do
  echo "$said" | grep -q "install .* ${package}[ ']" || fail "the line to paste does not name $package"
done

# What root needs: nothing else.
cd /src
for target; do
  say "make $target, as root"
  make "$target" || fail "make $target"
done

# What was installed is found, and nothing is asked of apt again.
as_user ./setup.sh run
[ "$status$said" = 0 ] || fail "after that, ./setup.sh run says: $said"
say "all is well"
