#!/bin/sh
# The inside of bare.sh --install: the service is installed from its lock, upgraded and removed, in a fresh Debian.
set -eu
suite=$1
# shellcheck disable=SC1091  # bare.sh writes it
. /tmp/environment

say() {
  echo "install $suite: $*"
}

fail() {
  say "FAILED: $*"
  exit 1
}

# Where another processor is emulated there is no /sys, where LiteRT looks for the processors: it complains at each start.
cpu=/sys/devices/system/cpu
if [ ! -e $cpu/possible ]; then
  mkdir -p $cpu
  echo "0-$(($(nproc) - 1))" | tee $cpu/possible >$cpu/present
fi

git -c advice.detachedHead=false -c init.defaultBranch=main clone --quiet /tmp/project.bundle /src
venv=/opt/edge-digits
bits=$(python3 -c 'import struct; print(8 * struct.calcsize("P"))' 2>/dev/null || getconf LONG_BIT)
lock=/src/systemd/requirements.txt
if [ "$bits" = 32 ]; then
  lock=/src/systemd/requirements-32bit.txt
  # Trixie has all of it in apt; there is nothing of pip's to check.
  [ "$suite" = bookworm ] || lock=
fi

# A folder that an attacker may write to, with a module of pip's name: root's pip must not import it.
mkdir /tmp/hostile
echo 'raise SystemExit("imported from the working directory")' >/tmp/hostile/pip.py

cd /tmp/hostile
if [ -n "$lock" ]; then
  say "a lock with a wrong hash"
  cp "$lock" /tmp/lock
  sed -i '/^uvicorn==/,/^[a-z]/s/sha256:...../sha256:00000/' "$lock"
  if /src/systemd/install.sh install >/tmp/said 2>&1; then fail "uvicorn is installed with a wrong hash"; fi
  grep -q 'HASHES .*uvicorn\|THESE PACKAGES DO NOT MATCH THE HASHES' /tmp/said || { cat /tmp/said; fail "pip does not say why"; }
  [ ! -e "$venv/bin/edge" ] || fail "the program is there all the same"
  cp /tmp/lock "$lock"
fi

say "the real one"
/src/systemd/install.sh install
if [ -n "$lock" ]; then
  "$venv/bin/python" -P -m pip freeze --local --exclude edge-digits >/tmp/installed
  sed -n 's/^\([A-Za-z0-9._-]*==[^ ]*\) .*/\1/p' "$lock" >/tmp/locked
  while read -r line; do
    # pip writes names as their authors do: ml_dtypes.
    name=$(echo "$line" | tr '_.A-Z' '-\-a-z' | sed 's/==.*//')
    echo "$name==${line#*==}" >>/tmp/names
  done </tmp/installed
  unlocked=$(grep -vxFf /tmp/locked /tmp/names || true)
  [ -z "$unlocked" ] || fail "installed, but not locked: $unlocked"
  say "$(wc -l </tmp/names) packages, each as the lock has it"
fi
if "$venv/bin/python" -P -c 'import hatchling' 2>/dev/null; then fail "what builds the program is installed too"; fi
owners=$(find "$venv" ! -user root | head -n 3)
[ -z "$owners" ] || fail "the service could change its own program: $owners"
runuser -u edge-digits -- "$venv/bin/edge" read /src/docs/page/*.png >/dev/null || fail "it does not read"
say "the recorded pages"
(cd /src && "$venv/bin/python" -m tests.readings) | tee /tmp/readings
if grep -vq ': 24 of 24 pages are the recorded ones, 24 read the same;' /tmp/readings; then fail "pages are read differently"; fi
if [ "$bits" = 32 ]; then
  say "pip where apt was not asked first"
  python3 -m venv /tmp/bare
  if /tmp/bare/bin/pip install /src >/tmp/said 2>&1; then fail "it is installed without OpenCV"; fi
  grep -q 'edge-digits: for 32 bits, pip lacks what apt has: sudo apt install' /tmp/said || { cat /tmp/said; fail "it does not say why"; }
  [ "$(/tmp/bare/bin/pip list --format=freeze | grep -vc '^pip==\|^setuptools==')" = 0 ] || fail "something is half installed"
fi

say "a program that needs more than the lock has"
git clone --quiet /src /tmp/other
sed -i 's/^    "uvicorn>=.*/    "uvicorn>=99",/' /tmp/other/pyproject.toml
git -C /tmp/other diff --quiet && fail "nothing is changed"
if /src/systemd/install.sh upgrade --from /tmp/other >/tmp/said 2>&1; then fail "it is installed"; fi
grep -q 'needs other packages than' /tmp/said || { cat /tmp/said; fail "it does not say why"; }

say "an upgrade and an uninstallation"
/src/systemd/install.sh upgrade
"$venv/bin/edge" --version
/src/systemd/install.sh uninstall --purge
[ ! -e "$venv" ] || fail "something is left"
say "all is well"
