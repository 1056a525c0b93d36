"""Checks of the running service: what it is, what it reads, and what it bears. Each gives what is worth telling."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import subprocess
import time
from pathlib import Path

from ask import (
    CONFIG,
    EDGE,
    OTHER,
    PAGE,
    STATE,
    UNIT,
    VIVID,
    check,
    display,
    here,
    journal,
    notice,
    now,
    one_line,
    process,
    published,
    reading,
    run,
    show,
    source,
    until,
)


def is_active_by_notify() -> str:
    """the service starts at boot and is active once it says so itself"""
    until(lambda: show("ActiveState") == "active", "the service was not active")
    check(show("Type") == "notify", f"Type is {show('Type')}")
    check(show("UnitFileState") == "enabled", f"it is {show('UnitFileState')}")
    taken = int(show("ActiveEnterTimestampMonotonic")) - int(show("ExecMainStartTimestampMonotonic"))
    check(taken > 100_000, "it was active before Python can have begun")
    check(show("StatusText") != "", "it has no status text")
    return f"{taken / 1e6:.1f} s after its start"


def is_nobody_else() -> str:
    """it runs as its own user, with the groups of cameras"""
    said = Path(f"/proc/{process()}/status").read_text()
    user = pwd.getpwnam("edge-digits")
    numbers = re.search(r"^Uid:\s+(.*)$", said, re.M)[1].split()
    check(set(numbers) == {str(user.pw_uid)} and user.pw_uid != 0, f"its user ids are {numbers}")
    named = {line.split(":")[2]: line.split(":")[0] for line in Path("/etc/group").read_text().splitlines()}
    held = {named[number] for number in re.search(r"^Groups:\s*(.*)$", said, re.M)[1].split()}
    check(held == {"edge-digits", "video", "render"}, f"its groups are {sorted(held)}")
    check(user.pw_shell.endswith("nologin"), f"its shell is {user.pw_shell}")
    return f"user {user.pw_uid}, groups {', '.join(sorted(held))}"


def is_in_its_sandbox() -> str:
    """its sandbox is really there: no capabilities, filtered calls, its own mounts"""
    pid = process()
    said = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    check(said["NoNewPrivs"].strip() == "1", "NoNewPrivs is not set")
    check(said["Seccomp"].strip() == "2", f"seccomp's mode is {said['Seccomp'].strip()}, not 2")
    for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        check(int(said[name], 16) == 0, f"{name} is {said[name].strip()}")
    for kind in ("mnt", "user", "uts"):
        own, first = (Path(f"/proc/{one}/ns/{kind}").readlink() for one in (pid, 1))
        check(own != first, f"it shares the machine's {kind} namespace")
    mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    modes = {fields[4]: fields[5].split(",")[0] for fields in mounts}
    check(modes["/"] == "ro" and modes["/home"] == "ro", "it could write where it must not")
    check(modes[str(STATE)] == "rw", "it cannot write its state")
    return f"{said.get('Seccomp_filters', '?').strip()} filters of system calls"


def is_tight() -> str:
    """systemd takes the unit, and finds it tight"""
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{UNIT}"], capture_output=True, text=True
    )
    check(said.returncode == 0 and not said.stderr.strip(), f"systemd-analyze verify: {one_line(said.stderr)}")
    score = run("systemd-analyze", "security", "--no-pager", "--threshold=15", UNIT).strip().splitlines()[-1]
    return score.split(":", 1)[1].strip()


def reads_the_camera() -> str:
    """it reads what the camera shows, through picamera2"""
    read = reading(0, PAGE)
    check(read["source"] == "picamera2:0", f"the source is {read['source']}")
    share = [m["text"] for m in published(0) if "text" in m]
    check(set(share) == {PAGE}, f"it also read {sorted(set(share) - {PAGE})}")
    return f"{PAGE}, {read['elapsed_ms']:.0f} ms"


def publishes_to_the_journal() -> str:
    """what it reads is in the journal, too"""

    def found() -> bool:
        return any(json.loads(line).get("text") == PAGE for line in journal() if line.startswith("{"))

    until(found, f"the journal has no {PAGE}", 30)
    return ""


def says_it_once() -> str:
    """what is written there is one event, in the history that edge history shows"""

    def found() -> list[str]:
        kept = run(EDGE, "history", "--json", "--config", CONFIG).splitlines()
        return [m["text"] for m in map(json.loads, kept) if "event" in m]

    texts = until(found, "no event is in the history")
    check(texts == [PAGE], f"the events were {texts}")
    return PAGE


def tells_of_the_camera() -> str:
    """a camera that was waited for is published as here before its first reading"""
    said = published(0)
    before = said[: next(n for n, m in enumerate(said) if "text" in m)]
    # A fast machine has nothing to tell: it did not wait.
    states = [m["state"] for m in before if m.get("notice") == "camera"]
    check(states[-1:] in ([], ["running"]) and {"starting", "running"} >= set(states), f"before it were: {before}")
    return ", ".join(states)


def would_run() -> str:
    """edge run --check finds the service's settings, camera, publishers and model in order"""
    return run(EDGE, "run", "--check", "--config", CONFIG).splitlines()[-1].strip()


def is_healthy() -> str:
    """edge doctor finds no failure, and what it says of the service is so"""
    found = json.loads(run(EDGE, "doctor", "--json", "--config", CONFIG))["findings"]
    failures = [f"{f['check']}: {f['said']}" for f in found if f["level"] == "failure"]
    check(not failures, "; ".join(failures))
    said = {f["check"]: f["said"] for f in found if f["level"] == "ok"}
    check("active (running), enabled" in said.get("service", ""), f"service: {said.get('service')}")
    check("vivid" in said.get("cameras", ""), f"cameras: {said.get('cameras')}")
    warnings = [f"{f['check']}: {f['said']}" for f in found if f["level"] == "warning"]
    return "; ".join(warnings) or "no warning"


def reports_a_frozen_camera() -> str:
    """a camera whose picture stays the same is reported, and read again once it lives, without a restart"""
    display(PAGE, 1)
    run("systemctl", "restart", UNIT)
    after, pid = here(), process()
    reading(after, PAGE)
    told = notice(after, "camera", "stalled", "reopening")
    until(
        lambda: show("StatusText") in ("the camera gives no new frame", "opening the camera again"), "no status said so"
    )
    text = " ".join(journal())
    check("its picture has been the same for 10 s" in text, "the journal does not say that it is frozen")
    frozen = here()
    display(OTHER)
    started = time.monotonic()
    reading(frozen, OTHER)
    taken = time.monotonic() - started
    until(lambda: show("StatusText") == "reading", "its status did not go back to reading")
    check(process() == pid, "it was restarted")
    return f"told as {told['state']}; read {OTHER} {taken:.0f} s after the pictures moved"


def outlives_sigkill() -> str:
    """killed, it is started again, and reads"""
    return _ends_and_returns(signal.SIGKILL, "status=9/KILL")


def outlives_a_hang() -> str:
    """hung, the watchdog ends it and it is started again, and reads"""
    return _ends_and_returns(signal.SIGSTOP, "Watchdog timeout")


def _ends_and_returns(number: signal.Signals, said: str) -> str:
    pid, restarts, cursor = process(), int(show("NRestarts")), now()
    started = time.monotonic()
    os.kill(pid, number)
    until(lambda: process() not in (0, pid), "there was no new process")
    restarted = time.monotonic() - started
    # What the old one still had to say is said.
    reading(here(), OTHER)
    check(int(show("NRestarts")) == restarts + 1, f"systemd counts {show('NRestarts')} restarts, not {restarts + 1}")
    check(any(said in line for line in journal(cursor)), f"the journal has no {said!r}")
    return f"a new process after {restarted:.1f} s, reading after {time.monotonic() - started:.1f} s"


def bears_an_unplugged_camera() -> str:
    """a V4L2 camera is set and read in the sandbox, unplugged, and read again when it is back, by the same process"""
    after = here()
    source("/dev/video0?size=320x180&gain=77&rotation=90")
    until(lambda: _frames(after), "no frame came")
    said = run("v4l2-ctl", "-d", "/dev/video0", "-C", "gain").strip()
    check(said == "gain: 77", f"v4l2-ctl says {said!r}")
    pid, after = process(), here()
    (VIVID / "unbind").write_text("vivid.0")
    notice(after, "camera", "reopening")
    until(lambda: show("StatusText") == "opening the camera again", "no status said so")
    check(not Path("/dev/video0").exists(), "it is still plugged in")
    after = here()
    started = time.monotonic()
    (VIVID / "bind").write_text("vivid.0")
    until(lambda: _frames(after), "no frame came after it was plugged in again")
    taken = time.monotonic() - started
    check(process() == pid, "it was restarted")
    return f"the first reading {taken:.1f} s after it was plugged in"


def _frames(after: int) -> bool:
    return any(m.get("source", "").startswith("v4l2:") for m in published(after))


def stops_when_asked() -> str:
    """systemctl stop ends it in good order"""
    source(None)
    reading(here(), OTHER)
    started = time.monotonic()
    run("systemctl", "stop", UNIT)
    taken = time.monotonic() - started
    check(show("Result") == "success" and show("ExecMainStatus") == "0", f"{show('Result')}, {show('ExecMainStatus')}")
    check(process() == 0, "it still runs")
    return f"in {taken:.1f} s"
