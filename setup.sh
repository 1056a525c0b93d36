#!/bin/sh
# Install the system packages that a make target needs: as root, or with a sudo that asks for no password.
# Where neither is possible, print one line to paste. Where nothing is missing, apt-get is not called.
#
#   ./setup.sh run     what `make demo` needs: Python with its venv module
#   ./setup.sh test    also what the tests need; tests whose program is missing are skipped
#   ./setup.sh bench   also what `make bench` needs
#
# PYTHON names the Python to use (default: python3). Exit status: 1 if the target cannot run with what is there. Where CI
# is set, every package counts as needed, since nobody would notice that tests are skipped.
set -eu

python=${PYTHON:-python3}
purpose=${1:-}

say() {
  echo "setup.sh: $*" >&2
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# need PACKAGE PROGRAM...: the package is missing unless one of the programs is there.
need() {
  package=$1
  shift
  for program; do
    if has "$program"; then return; fi
  done
  missing="${missing:+$missing }$package"
}

# Set `missing` to the packages that are missing, and `blocking` to those without which the target cannot run.
look() {
  missing=
  "$python" -c 'import ensurepip, venv' 2>/dev/null || need "${python##*/}-venv"
  blocking=$missing
  case $purpose in
    test)
      # Debian has mosquitto where the PATH of most users does not look.
      need mosquitto mosquitto /usr/sbin/mosquitto
      need chromium chromium chromium-browser
      need systemd systemd-analyze
      need shellcheck shellcheck
      need openssl openssl
      # What fails system calls is built by the tests.
      need build-essential cc
      ;;
    bench)
      need mosquitto mosquitto /usr/sbin/mosquitto
      need valgrind valgrind
      blocking=$missing
      ;;
  esac
  if [ -n "${CI:-}" ]; then blocking=$missing; fi
}

# Say what is missing, and stop the target if it cannot run.
finish() {
  if [ -n "$blocking" ]; then
    say "$1"
    exit 1
  fi
  say "$1 (tests that need these packages are skipped)"
  exit 0
}

case $purpose in
  run | test | bench) ;;
  *)
    say "usage: ./setup.sh run|test|bench"
    exit 2
    ;;
esac

if has "$python" && ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  say "$python is older than Python 3.11, which is required; name a newer one: make PYTHON=python3.12 TARGET"
  exit 1
fi

look
if [ -z "$missing" ]; then exit 0; fi

if ! has apt-get; then
  finish "these Debian packages, or what this system has in their place, are missing: $missing"
fi

commands="apt-get update && apt-get install -y --no-install-recommends $missing"
if [ "$(id -u)" -eq 0 ]; then
  root=
elif has sudo && sudo -n true 2>/dev/null; then
  root='sudo -n'
elif has sudo; then
  finish "packages are missing; paste this line: sudo sh -c '$commands'"
else
  finish "packages are missing; paste this line: su -l -c '$commands'"
fi

say "installing $missing"
# A system that was just switched on may be updating itself: wait for its lock.
$root apt-get -qq -o DPkg::Lock::Timeout=300 update || true
# One at a time: a package that this system does not have, such as chromium on Ubuntu, does not hold up the others.
for package in $missing; do
  $root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$package" >/dev/null || true
done

look
if [ -n "$missing" ]; then
  finish "apt-get did not bring $missing; its messages above say why"
fi
