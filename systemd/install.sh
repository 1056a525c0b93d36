#!/bin/sh
# Installs edge-digits as a service on Raspberry Pi OS or Debian, Bookworm or Trixie. See usage() below.
# Each step checks what exists already, so running it again is safe and completes an interrupted installation.
set -eu
# The service's user must be able to read the files that root installs.
umask 022

usage() {
  cat <<'USAGE'
usage: install.sh install [--from WHAT] | upgrade [--from WHAT] | uninstall [--purge]
  install      install the program, its user and its service; start it now and at every boot; keep an existing config
  upgrade      install a newer program and service; keep the config, and write the new default to edge.toml.new beside it
  uninstall    remove everything except /etc/edge-digits and /var/lib/edge-digits
  --purge      with uninstall: remove these too
  --from WHAT  what is installed: a folder, a wheel, edge-digits (the newest release) or edge-digits==0.1.0
               (default: the checkout that contains this script, otherwise the newest release)
               What it needs is installed as requirements.txt beside this script says: these versions, with these hashes.
               On a 32-bit system, NumPy and OpenCV come from apt, and on Trixie all of it
  --root DIR   only install the files, below DIR: no apt, venv, user or systemctl; needs no root
USAGE
}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

usage_error() {
  echo "install.sh: $1" >&2
  usage >&2
  exit 2
}

say() {
  echo "install.sh: $1"
}

here=$(cd "$(dirname "$0")" && pwd)
name=edge-digits
unit=edge.service

action=
purge=
root=
from=
while [ $# -gt 0 ]; do
  case $1 in
    install | upgrade | uninstall)
      [ -z "$action" ] || usage_error "give one of install, upgrade and uninstall, not two"
      action=$1
      ;;
    --purge) purge=yes ;;
    --from)
      from=${2:-}
      [ -n "$from" ] || usage_error "--from needs a folder, a wheel or a name"
      shift
      ;;
    --root)
      root=${2:-}
      root=${root%/}
      [ -n "$root" ] || usage_error "--root needs a folder other than /"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) usage_error "unknown argument $1" ;;
  esac
  shift
done
[ -n "$action" ] || usage_error "give install, upgrade or uninstall"
[ -z "$purge" ] || [ "$action" = uninstall ] || usage_error "--purge works only with uninstall"

# The distribution's Python, with its packages visible in the venv, as picamera2 and libcamera are built for it.
python=/usr/bin/python3
venv=$root/opt/$name
settings=$root/etc/$name
state=$root/var/lib/$name
unit_file=$root/etc/systemd/system/$unit
users_file=$root/etc/sysusers.d/$name.conf
lock=$here/requirements.txt

is_this_machine() {
  [ -z "$root" ]
}

systemd_runs() {
  # False in a chroot, as when the image of a card is built: there the service is only enabled.
  is_this_machine && [ -d /run/systemd/system ]
}

userland() {
  # The word size of Python, and the minor version: 64 11, 32 13. Not uname: a 64-bit kernel may run a 32-bit system.
  "$python" -c 'import struct, sys; print(8 * struct.calcsize("P"), sys.version_info[1])'
}

fits() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is older than 3.11; use Bookworm or a later release"
  case $(userland),$(uname -m) in
    "32 11,armv6l" | "32 11,armv5"*)
      fail "there is no pydantic for Bookworm on this processor, $(uname -m); use Raspberry Pi OS Trixie, 32-bit"
      ;;
  esac
}

packages() {
  export DEBIAN_FRONTEND=noninteractive
  # What can never run is refused before anything is installed.
  [ ! -x "$python" ] || fits
  get python3-venv
  fits
  # shellcheck disable=SC2046  # several names
  get $(from_apt) python3-picamera2
}

from_apt() {
  # With 32 bits, what pip has no wheel of. Trixie has all that is needed, and Bookworm only what is not in the lock.
  case $(userland) in
    "32 11") echo python3-numpy python3-opencv libopenblas0-pthread ;;
    "32 "*)
      echo python3-numpy python3-opencv libopenblas0-pthread python3-paho-mqtt python3-prometheus-client \
        python3-pydantic-settings python3-starlette python3-uvicorn
      ;;
  esac
}

get() {
  missing=
  for package; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  apt-get update -qq || say "apt-get update failed; using the existing package lists"
  for package in $missing; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    elif [ "$package" = python3-picamera2 ]; then
      "$python" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("picamera2"))' ||
        say "apt has no python3-picamera2 (Raspberry Pi OS has it): picamera2: cameras cannot be used, others can"
    elif [ "$package" != libopenblas0-pthread ]; then
      # That one makes NumPy fast, and is not needed.
      fail "apt has no $package; use Debian or Raspberry Pi OS"
    fi
  done
}

program() {
  if ! same_python; then
    "$python" -m venv --clear --system-site-packages "$venv"
  fi
  if [ -z "$from" ]; then
    from=$name
    [ ! -f "$here/../pyproject.toml" ] || from=$(cd "$here/.." && pwd)
  fi
  say "installing $from"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  wheel
  dependencies
  # It may be the same version, made anew.
  run_pip install --no-index --no-deps --force-reinstall "$work"/*.whl
  # Without an index this installs nothing: it fails if a package is missing or has another version than is needed.
  run_pip install --no-index "$name" ||
    fail "$from needs other packages than $lock has; use the install.sh of its own version"
  "$venv/bin/edge" --version
}

run_pip() {
  # -P: nothing is imported from the folder in which root happens to be.
  "$venv/bin/python" -P -m pip --quiet --disable-pip-version-check --no-cache-dir "$@"
}

run_locked() {
  # Only wheels, so that no code of a package runs while root installs it, and only those whose hash the lock has.
  run_pip install --require-hashes --only-binary :all: --no-deps "$@"
}

wheel() {
  # Make or fetch the program's wheel in $work. What builds it is locked too, and is not installed.
  if [ -d "$from" ]; then
    run_locked --target "$work/build" --requirement "$here/requirements-build.txt"
    PYTHONPATH=$work/build run_pip wheel --no-index --no-build-isolation --no-deps --wheel-dir "$work" "$from"
  elif [ -f "$from" ]; then
    case $from in
      *.whl) cp "$from" "$work" ;;
      *) fail "--from $from: is neither a folder nor a wheel" ;;
    esac
  else
    run_pip download --only-binary :all: --no-deps --dest "$work" "$from"
  fi
}

dependencies() {
  case $(userland) in
    "64 "*) run_locked --requirement "$lock" ;;
    # Beside NumPy and OpenCV, which come from apt.
    "32 11") run_locked --requirement "$here/requirements-32bit.txt" ;;
    *) say "all that is needed comes from apt, as pip has too little for 32 bits" ;;
  esac
}

same_python() {
  # Whether the venv works, sees the distribution's packages, and has the current Python of the distribution.
  asks='import sys; print(sys.version_info[:2])'
  grep -qs '^include-system-site-packages = true' "$venv/pyvenv.cfg" &&
    [ "$("$venv/bin/python" -c "$asks" 2>/dev/null)" = "$("$python" -c "$asks")" ] &&
    "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

user() {
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers "$users_file"
    return
  fi
  getent group video >/dev/null || groupadd --system video
  getent group render >/dev/null || groupadd --system render
  getent passwd "$name" >/dev/null ||
    useradd --system --user-group --home-dir "/var/lib/$name" --no-create-home --shell /usr/sbin/nologin "$name"
  usermod --append --groups video,render "$name"
}

files() {
  install -D -m 644 "$here/$unit" "$unit_file"
  install -D -m 644 "$here/sysusers.conf" "$users_file"
  rm -f "$settings/edge.toml.new"
  if [ ! -e "$settings/edge.toml" ]; then
    install -D -m 640 "$here/edge.toml" "$settings/edge.toml"
  elif ! cmp -s "$here/edge.toml" "$settings/edge.toml"; then
    install -m 640 "$here/edge.toml" "$settings/edge.toml.new"
    say "$settings/edge.toml is kept; the new defaults are in edge.toml.new beside it"
  fi
}

protect_config() {
  # The config may contain a broker's password, so only root and the service may read it.
  chgrp "$name" "$settings"/edge.toml*
}

tokens() {
  # Make the tokens before the service first runs, as it would: as its user, in the state folder of its settings, where
  # relative paths start in its own folder.
  install -d -m 750 -o "$name" -g "$name" "$state"
  if ! (
    cd "$state" &&
      STATE_DIRECTORY=$state runuser -u "$name" -- "$venv/bin/edge" token --config "$settings/edge.toml" >/dev/null
  ); then
    say "no tokens for the live page were made; fix the error above, then the service makes them"
  elif grep -q "^ *web *= *[\"'][^\"']" "$settings/edge.toml"; then
    say "links to the live page: sudo $venv/bin/edge token --config $settings/edge.toml"
  fi
}

start() {
  command -v systemctl >/dev/null || fail "systemctl is missing; a machine with systemd is needed"
  if [ "$action" = install ]; then
    systemctl --quiet enable "$unit"
  fi
  systemd_runs || return 0
  systemctl daemon-reload
  "$venv/bin/edge" run --check --config "$settings/edge.toml" ||
    fail "not started; fix the error above, then: sudo systemctl restart $unit"
  if [ "$action" = install ]; then
    systemctl reset-failed "$unit" 2>/dev/null || true
    systemctl restart "$unit" || fail "the service does not start; journalctl -u $unit shows why"
  else
    # A service that was stopped on purpose stays stopped.
    systemctl try-restart "$unit" || fail "the service does not restart; journalctl -u $unit shows why"
  fi
  say "done; its state: systemctl status $unit; its readings: journalctl -fu $unit"
}

uninstall() {
  if is_this_machine && command -v systemctl >/dev/null && [ -e "$unit_file" ]; then
    systemctl --quiet disable "$unit"
    if systemd_runs; then systemctl stop "$unit"; fi
  fi
  rm -f "$unit_file" "$users_file"
  # Remove the folder too if this script made it, not a package.
  if [ -d "${users_file%/*}" ] && ! dpkg-query -S "${users_file%/*}" >/dev/null 2>&1; then
    rmdir --ignore-fail-on-non-empty "${users_file%/*}"
  fi
  if systemd_runs; then
    systemctl daemon-reload
    systemctl reset-failed "$unit" 2>/dev/null || true
  fi
  rm -rf "$venv"
  if [ -n "$purge" ]; then
    rm -rf "$settings" "$state" "$unit_file.d"
  fi
  if is_this_machine && getent passwd "$name" >/dev/null; then
    # Remaining files go to root, so that no later account with the same number owns them. StateDirectory= changes
    # the owner back after a new installation.
    for kept in "$settings" "$state"; do
      [ ! -e "$kept" ] || chown -R root:root "$kept"
    done
    userdel "$name"
  fi
  for kept in "$settings" "$state"; do
    [ ! -e "$kept" ] || say "$kept is kept; uninstall --purge removes it"
  done
}

if is_this_machine; then
  [ "$(id -u)" -eq 0 ] || fail "needs root; run it with sudo"
fi
if [ "$action" = upgrade ] && [ ! -e "$unit_file" ]; then
  fail "there is nothing to upgrade, as $unit_file is missing; use install"
fi
case $action in
  uninstall) uninstall ;;
  *)
    if is_this_machine; then
      command -v apt-get >/dev/null || fail "apt-get is missing; use Raspberry Pi OS or Debian"
      packages
      program
    fi
    files
    if is_this_machine; then
      user
      protect_config
      tokens
      start
    fi
    ;;
esac
