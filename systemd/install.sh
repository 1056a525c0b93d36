#!/bin/sh
# Makes edge-digits a service of this machine: Raspberry Pi OS or Debian, Bookworm or Trixie. See usage() below.
# Each step looks at what is there already, so that running it again does no harm and mends what was half-done.
set -eu
# The service's user has to read what root puts there.
umask 022

usage() {
  cat <<'USAGE'
usage: install.sh install [--from WHAT] | upgrade [--from WHAT] | uninstall [--purge]
  install      the program, its user, its service; starts it now and at every boot; a config that is there is kept
  upgrade      a newer program and service; the config is kept, a new default one is put beside it as edge.toml.new
  uninstall    takes all of it away, but for /etc/edge-digits and /var/lib/edge-digits
  --purge      takes those away, too
  --from WHAT  what pip installs: a folder, a wheel, edge-digits (the newest release) or edge-digits==0.1.0;
               without it, the checkout that this script lies in, or else the newest release
  --root DIR   the files only, below DIR: no apt, no venv, no user, no systemctl; needs no root
USAGE
}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

wrong() {
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
      [ -z "$action" ] || wrong "one of install, upgrade and uninstall, not two"
      action=$1
      ;;
    --purge) purge=yes ;;
    --from)
      from=${2:-}
      [ -n "$from" ] || wrong "--from wants a folder, a wheel or a name"
      shift
      ;;
    --root)
      root=${2:-}
      root=${root%/}
      [ -n "$root" ] || wrong "--root wants a folder, not this machine's own"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) wrong "there is no $1" ;;
  esac
  shift
done
[ -n "$action" ] || wrong "install, upgrade or uninstall?"
[ -z "$purge" ] || [ "$action" = uninstall ] || wrong "--purge is for uninstall"

# The distribution's own Python, and its packages visible: picamera2 and libcamera are made for that one.
python=/usr/bin/python3
venv=$root/opt/$name
settings=$root/etc/$name
state=$root/var/lib/$name
unit_file=$root/etc/systemd/system/$unit
users_file=$root/etc/sysusers.d/$name.conf

whole() {
  [ -z "$root" ]
}

running() {
  # Not so in a chroot, where an image of a card is made: there it is only enabled.
  whole && [ -d /run/systemd/system ]
}

release() {
  # bookworm, trixie: see os-release(5).
  sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"'
}

packages() {
  export DEBIAN_FRONTEND=noninteractive
  missing=
  for package in python3-venv python3-picamera2; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  apt-get update -qq || say "apt-get update failed; going on with the lists that are here"
  for package in $missing; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    elif [ "$package" = python3-picamera2 ]; then
      "$python" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("picamera2"))' ||
        say "apt has no python3-picamera2 here (Raspberry Pi OS has): picamera2: cameras cannot be used, others can"
    else
      fail "apt has no $package; is this Debian or Raspberry Pi OS?"
    fi
  done
}

program() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is older than 3.11; Bookworm is the oldest release that will do"
  if ! same_python; then
    "$python" -m venv --clear --system-site-packages "$venv"
  fi
  if [ -z "$from" ]; then
    from=$name
    [ ! -f "$here/../pyproject.toml" ] || from=$(cd "$here/.." && pwd)
  fi
  say "installing $from"
  set -- --upgrade "$from"
  [ "$(release)" != bookworm ] || set -- --constraint "$here/bookworm.txt" "$@"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$@"
  "$venv/bin/edge" --version
}

same_python() {
  # Whether the venv is whole, sees the distribution's packages, and was not left behind by an upgrade to a new Python.
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
    say "$settings/edge.toml is kept; today's defaults are in edge.toml.new beside it"
  fi
}

readable() {
  # It may have a broker's password in it: for root and the service only.
  chgrp "$name" "$settings"/edge.toml*
}

tokens() {
  # Who asks for them before the service has run finds those that it will know: made as it would make them, by its user,
  # in the folder that its settings name, where relative ones begin in its own.
  install -d -m 750 -o "$name" -g "$name" "$state"
  if ! (
    cd "$state" &&
      STATE_DIRECTORY=$state runuser -u "$name" -- "$venv/bin/edge" token --config "$settings/edge.toml" >/dev/null
  ); then
    say "there are no tokens for the live page yet; mend the above, and the service makes them"
  elif grep -q "^ *web *= *[\"'][^\"']" "$settings/edge.toml"; then
    say "links to the live page: sudo $venv/bin/edge token --config $settings/edge.toml"
  fi
}

start() {
  command -v systemctl >/dev/null || fail "systemctl is missing: this is no machine with systemd"
  if [ "$action" = install ]; then
    systemctl --quiet enable "$unit"
  fi
  running || return 0
  systemctl daemon-reload
  "$venv/bin/edge" run --check --config "$settings/edge.toml" ||
    fail "not started; mend the above, then: sudo systemctl restart $unit"
  if [ "$action" = install ]; then
    systemctl reset-failed "$unit" 2>/dev/null || true
    systemctl restart "$unit" || fail "it does not start; journalctl -u $unit says why"
  else
    # One that somebody stopped stays stopped.
    systemctl try-restart "$unit" || fail "it does not start again; journalctl -u $unit says why"
  fi
  say "done; how it goes: systemctl status $unit; what it reads: journalctl -fu $unit"
}

uninstall() {
  if whole && command -v systemctl >/dev/null && [ -e "$unit_file" ]; then
    systemctl --quiet disable "$unit"
    if running; then systemctl stop "$unit"; fi
  fi
  rm -f "$unit_file" "$users_file"
  # Made by this script where no package brought it.
  if [ -d "${users_file%/*}" ] && ! dpkg-query -S "${users_file%/*}" >/dev/null 2>&1; then
    rmdir --ignore-fail-on-non-empty "${users_file%/*}"
  fi
  if running; then
    systemctl daemon-reload
    systemctl reset-failed "$unit" 2>/dev/null || true
  fi
  rm -rf "$venv"
  if [ -n "$purge" ]; then
    rm -rf "$settings" "$state" "$unit_file.d"
  fi
  if whole && getent passwd "$name" >/dev/null; then
    # What stays is root's, so that no later account with the same number has it; StateDirectory= hands it back.
    for kept in "$settings" "$state"; do
      [ ! -e "$kept" ] || chown -R root:root "$kept"
    done
    userdel "$name"
  fi
  for kept in "$settings" "$state"; do
    [ ! -e "$kept" ] || say "$kept is kept; --purge takes it away"
  done
}

if whole; then
  [ "$(id -u)" -eq 0 ] || fail "needs root; run it with sudo"
fi
if [ "$action" = upgrade ] && [ ! -e "$unit_file" ]; then
  fail "there is nothing to upgrade ($unit_file is missing); use install"
fi
case $action in
  uninstall) uninstall ;;
  *)
    if whole; then
      command -v apt-get >/dev/null || fail "this machine has no apt; it is made for Raspberry Pi OS and Debian"
      packages
      program
    fi
    files
    if whole; then
      user
      readable
      tokens
      start
    fi
    ;;
esac
