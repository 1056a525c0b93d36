"""What `edge doctor` looks at: the settings, the TFLite runtimes with the model, NumPy."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from edge import publishers, uri
from edge.commands.doctor.child import ended, slow
from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import TIMED_OUT, Machine
from edge.model import trial
from edge.model.classifier import RUNTIMES

TRY_NUMPY = """
import importlib.util, numpy
found = importlib.util.find_spec("simplejpeg")
if found:
    import simplejpeg
print(numpy.__version__, "with" if found else "")
"""
"""picamera2 imports simplejpeg, which is built on one NumPy."""
OLD_NUMPY = ("numpy<2", "opencv-python-headless<4.12")
"""What fits packages of Raspberry Pi OS Bookworm, which are built on NumPy 1."""


def settings(machine: Machine) -> Iterable[Finding]:
    """Whether they could be read."""
    if machine.misread:
        why = "edge run stops at this; the rest was looked at with the defaults"
        yield failure("settings", machine.misread, why, machine.run_check)
    else:
        source, outputs = machine.settings.source, map(publishers.public, machine.settings.publish)
        yield ok("settings", f"{uri.public(source)} to {', '.join(outputs)}")


def runtimes(machine: Machine) -> Iterable[Finding]:
    """Each TFLite runtime that is installed, and whether it runs the settings' model."""
    with ThreadPoolExecutor() as pool:
        tried = list(
            pool.map(lambda name: machine.run(trial.trial_command(machine.settings.model, runtime=name)), RUNTIMES)
        )
    said = [trial.parse_answer(done.out) if done.status == 0 else None for done in tried]
    works = any(answer and answer["model"] for answer in said)
    found = [name for name, answer in zip(RUNTIMES, said, strict=True) if not answer or answer["here"]]
    if not found:
        yield failure("runtime", "no TFLite runtime", "nothing can be read without", machine.pip("ai-edge-litert"))
    for name, done, answer in zip(RUNTIMES, tried, said, strict=True):
        if name not in found:
            continue
        package = name.replace("_", "-")
        if answer and answer["model"]:
            yield ok(
                "runtime", f"{answer['version']} reads {answer['right']} of {answer['asked']} with {answer['model']}"
            )
            continue
        if done.status == TIMED_OUT:
            yield slow("runtime", done._replace(error=f"{package}: {done.error}"))
            continue
        error = answer["error"] if answer else trial.signal_problem(done.status) or ended(done)
        level = warning if works else failure
        why = "this model or this runtime is broken, and nothing is read where it is the one that is used"
        mend = machine.pip("--force-reinstall", package)
        if machine.settings.model:
            why, mend = (
                "nothing is read; where the package's own model runs, convert yours again",
                "edge doctor --model ''",
            )
        yield level("runtime", f"{package}: {error}", why, mend)


def numpy(machine: Machine) -> Iterable[Finding]:
    """Whether the packages of apt that picamera2 needs were built on this NumPy."""
    done = machine.child(TRY_NUMPY)
    version, _, beside = done.out.strip().partition(" ")
    if done.status == 0:
        yield ok("numpy", f"{version}, and simplejpeg loads" if beside else f"{version}, no simplejpeg to fit")
    elif done.status == TIMED_OUT:
        yield slow("numpy", done)
    else:
        why = "picamera2 needs simplejpeg, which apt has for one NumPy only: take the NumPy that it was built on"
        needed = machine.source[0] == "picamera2" and machine.pi
        yield (failure if needed else warning)("numpy", ended(done), why, machine.pip(*OLD_NUMPY))
