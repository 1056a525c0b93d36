#!/bin/sh
# `make test-edge`, with what it is given, on Debian for 64-bit ARM. Where qemu-user stands in for the machine, some things
# are not as on any board; on a board nothing here does anything.
set -eu
cd "$(dirname "$0")/../.."
# The processor of a Pi Zero 2 W and a Pi 3. qemu's own choice has every extension there is, and LiteRT reads wrongly with it.
export QEMU_CPU="${QEMU_CPU:-cortex-a53}"
# A bare root has no /sys, where LiteRT looks for the processors: it would complain at each start.
cpu=/sys/devices/system/cpu
if [ ! -e $cpu/possible ]; then
  mkdir -p $cpu
  echo "0-$(($(nproc) - 1))" | tee $cpu/possible >$cpu/present
fi
# Nor has it a name for itself.
[ -e /etc/hosts ] || echo "127.0.0.1 localhost" >/etc/hosts
exec make test-edge "$@"
