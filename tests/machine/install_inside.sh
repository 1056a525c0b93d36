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

git -c advice.detachedHead=false -c init.defaultBranch=main clone --quiet /tmp/project.bundle /src
lock=/src/systemd/requirements.txt
venv=/opt/edge-digits

# A folder that an attacker may write to, with a module of pip's name: root's pip must not import it.
mkdir /tmp/hostile
echo 'raise SystemExit("imported from the working directory")' >/tmp/hostile/pip.py

say "a lock with a wrong hash"
cp "$lock" /tmp/lock
sed -i '/^uvicorn==/,/^[a-z]/s/sha256:...../sha256:00000/' "$lock"
cd /tmp/hostile
if /src/systemd/install.sh install >/tmp/said 2>&1; then fail "uvicorn is installed with a wrong hash"; fi
grep -q 'HASHES .*uvicorn\|THESE PACKAGES DO NOT MATCH THE HASHES' /tmp/said || { cat /tmp/said; fail "pip does not say why"; }
[ ! -e "$venv/bin/edge" ] || fail "the program is there all the same"
cp /tmp/lock "$lock"

say "the real one"
/src/systemd/install.sh install
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
if "$venv/bin/python" -P -c 'import hatchling' 2>/dev/null; then fail "what builds the program is installed too"; fi
owners=$(find "$venv" ! -user root | head -n 3)
[ -z "$owners" ] || fail "the service could change its own program: $owners"
runuser -u edge-digits -- "$venv/bin/edge" read /src/docs/page/*.png >/dev/null || fail "it does not read"

say "a program that needs more than the lock has"
git clone --quiet /src /tmp/other
sed -i 's/^    "uvicorn>=.*/    "uvicorn>=99",/' /tmp/other/pyproject.toml
if /src/systemd/install.sh upgrade --from /tmp/other >/tmp/said 2>&1; then fail "it is installed"; fi
grep -q 'needs other packages than' /tmp/said || { cat /tmp/said; fail "it does not say why"; }

say "an upgrade and an uninstallation"
/src/systemd/install.sh upgrade
"$venv/bin/edge" --version
/src/systemd/install.sh uninstall --purge
[ ! -e "$venv" ] || fail "something is left"
say "all is well"
