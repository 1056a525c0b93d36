"""Checks of what is changed: the program, its model, and what stays behind. Each gives what is worth telling."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import zipfile
from pathlib import Path

from ask import (
    CONFIG,
    EDGE,
    LUGGAGE,
    OTHER,
    READINGS,
    STATE,
    UNIT,
    census,
    check,
    fingerprint,
    here,
    journal,
    notice,
    now,
    process,
    reading,
    run,
    show,
    until,
)

MODEL = STATE / "model.tflite"
"""As the config names it once the checks of models begin."""


def upgrades() -> str:
    """an upgrade keeps the config, lays the new one beside it, and the newer program reads"""
    run("systemctl", "start", UNIT)
    pid, before = process(), CONFIG.read_bytes()
    following = LUGGAGE / "next"
    wheel = next(LUGGAGE.glob("*.whl"))
    said = run(following / "systemd" / "install.sh", "upgrade", "--from", wheel)
    version = run(EDGE, "--version").strip()
    check(version == f"edge-digits {wheel.name.split('-')[1]}", f"it is {version}, not that of {wheel.name}")
    check(CONFIG.read_bytes() == before, "the config was changed")
    beside = CONFIG.with_name("edge.toml.new")
    check(beside.read_bytes() == (following / "systemd" / "edge.toml").read_bytes(), "edge.toml.new is not the new one")
    check("edge.toml.new" in said, "it does not say so")
    check(process() not in (0, pid), "it was not restarted")
    reading(here(), OTHER)
    return version


def installs_over_itself() -> str:
    """to install again where all is there does no harm: the config is kept, and it reads"""
    before, pid = CONFIG.read_bytes(), process()
    run(LUGGAGE / "next" / "systemd" / "install.sh", "install", "--from", next(LUGGAGE.glob("*.whl")))
    check(CONFIG.read_bytes() == before, "the config was changed")
    check(process() not in (0, pid), "it was not restarted")
    reading(here(), OTHER)
    return ""


def takes_a_model_of_ones_own() -> str:
    """a model in the state directory is read with when the config names it"""
    packaged = run("find", "/opt/edge-digits", "-name", "mnist.tflite").split()[0]
    shutil.copy(packaged, MODEL)
    config, changed = re.subn(r'(?m)^model = ".*"$', f'model = "{MODEL.name}"', CONFIG.read_text())
    check(changed == 1, "the config has no line for the model")
    CONFIG.write_text(config)
    run("systemctl", "restart", UNIT)
    return reading(here(), OTHER, model=fingerprint(MODEL.read_bytes()))["model"]


def swaps_the_model() -> str:
    """a new model dropped in is tried, and taken between two frames, by the same process"""
    pid, after = process(), here()
    newer = MODEL.with_suffix(".new")
    shutil.copy(MODEL, newer)
    with zipfile.ZipFile(newer, "a") as archive:
        # The same network, and another file: only what is kept beside the card tells them apart.
        archive.writestr("note.txt", "a newer one")
    started = time.monotonic()
    newer.rename(MODEL)
    told = notice(after, "model", "accepted", "refused")
    check(told["state"] == "accepted", f"it was refused: {told['reason']}")
    read = reading(after, OTHER, model=fingerprint(MODEL.read_bytes()))
    check(process() == pid, "it was restarted")
    return f"{read['model']} after {time.monotonic() - started:.0f} s"


def refuses_a_bad_model() -> str:
    """a damaged model dropped in is refused with the reason, and the one before reads on"""
    pid, after, good = process(), here(), MODEL.read_bytes()
    MODEL.write_bytes(good[: len(good) // 2])
    told = notice(after, "model", "accepted", "refused")
    check(told["state"] == "refused" and bool(told["reason"]), f"it was {told['state']}: {told['reason']}")
    reading(here(), OTHER, model=fingerprint(good))
    check(process() == pid, "it was restarted")
    return told["reason"]


def rolls_the_model_back() -> str:
    """edge model rollback puts back the one that read, then the one before, and the service takes it"""
    pid, current = process(), reading(here(), OTHER)["model"]
    said = [run(EDGE, "model", "rollback", "--config", CONFIG).strip()]
    check(fingerprint(MODEL.read_bytes()) in current, f"after the first rollback the file is not that of {current}")
    after = here()
    said.append(run(EDGE, "model", "rollback", "--config", CONFIG).strip())
    before = fingerprint(MODEL.read_bytes())
    check(before not in current, "after the second rollback the file is still the same")
    read = reading(after, OTHER, model=before)
    check(process() == pid, "it was restarted")
    return f"{current}, then {read['model']}"


def reloads() -> str:
    """systemctl reload looks at the model again, and it reads on"""
    pid, cursor = process(), now()
    run("systemctl", "reload", UNIT)
    until(
        lambda: any("unchanged, still using" in line for line in journal(cursor)),
        "the journal does not say what came of it",
    )
    reading(here(), OTHER)
    check(process() == pid, "it was restarted")
    return ""


def leaves_what_is_yours() -> str:
    """uninstalled, the program, its service and its user are gone; config and state are kept, and root's"""
    run(LUGGAGE / "next" / "systemd" / "install.sh", "uninstall")
    check(process() == 0, "it still runs")
    check(show("LoadState") == "not-found", f"systemd still knows it: {show('LoadState')}")
    for kept in (CONFIG, READINGS):
        check(kept.is_file() and kept.stat().st_uid == 0, f"{kept} is gone, or not root's")
    people = Path("/etc/passwd").read_text() + Path("/etc/group").read_text()
    check("edge-digits" not in people, "its user is still there")
    check(not Path("/opt/edge-digits").exists(), "the program is still there")
    return ""


def leaves_nothing() -> str:
    """uninstalled with --purge, it leaves nothing"""
    run(LUGGAGE / "next" / "systemd" / "install.sh", "uninstall", "--purge")
    before, after = json.loads((LUGGAGE / "census.json").read_text()), census()
    left, lost = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    check(not left, f"{len(left)} left: {', '.join(left[:8])}")
    check(not lost, f"{len(lost)} lost: {', '.join(lost[:8])}")
    for top in ("/run", "/tmp", "/var/tmp", "/sys/fs/cgroup/system.slice"):
        odd = [f"{folder}/{name}" for folder, names, files in os.walk(top) for name in [*names, *files] if _ours(name)]
        check(not odd, f"left: {', '.join(odd[:8])}")
    return f"{len(after)} paths and accounts, as before"


def _ours(name: str) -> bool:
    return "edge-digits" in name or UNIT in name
