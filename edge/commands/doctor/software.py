"""Checks of `edge doctor`: the settings, the TFLite runtimes with the model, the model itself, and NumPy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from edge import publishers, sources, uri
from edge.commands.doctor.child import problem_of, timed_out
from edge.commands.doctor.finding import Finding, failure, ok, warning
from edge.commands.doctor.machine import Machine
from edge.errors import EdgeError, StateError
from edge.model import trial
from edge.model.registry import ModelRegistry
from edge.model.runtime import RUNTIMES, STAND_IN
from edge.system import state_folder
from edge.system.command import TIMED_OUT

TRY_NUMPY = """
import importlib.util, numpy
found = importlib.util.find_spec("simplejpeg")
if found:
    import simplejpeg
print(numpy.__version__, "with" if found else "")
"""
"""Prints NumPy's version, and whether simplejpeg was imported: picamera2 needs it, and it is built for one NumPy."""
OLD_NUMPY = ("numpy<2", "opencv-python-headless<4.12")
"""Versions that fit the packages of Raspberry Pi OS Bookworm, which are built for NumPy 1."""


def settings(machine: Machine) -> Iterable[Finding]:
    """Whether the settings could be read, and name a source that there can be."""
    if machine.settings_error:
        why = "edge run cannot start with this; the other checks use the default settings"
        yield failure("settings", machine.settings_error, why, machine.run_check)
        return
    source, outputs = machine.settings.source, map(publishers.public, machine.settings.publish)
    try:
        # This opens no camera.
        sources.open_source(source).close()
    except EdgeError as error:
        yield failure("settings", f"source: {error}", "edge run cannot start with this source", machine.run_check)
        return
    yield ok("settings", f"from {uri.public(source)} to {', '.join(outputs)}")


def runtimes(machine: Machine) -> Iterable[Finding]:
    """Each installed TFLite runtime, and whether it runs the model of the settings."""
    with ThreadPoolExecutor() as pool:
        tried = list(
            pool.map(lambda name: machine.run(trial.trial_command(machine.settings.model, runtime=name)), RUNTIMES)
        )
    answers = [trial.parse_answer(done.out) if done.status == 0 else None for done in tried]
    works = any(answer and answer["model"] for answer in answers)
    installed = [name for name, answer in zip(RUNTIMES, answers, strict=True) if not answer or answer["here"]]
    if not installed:
        yield from _stand_in(machine)
    for name, done, answer in zip(RUNTIMES, tried, answers, strict=True):
        if name not in installed:
            continue
        package = name.replace("_", "-")
        if answer and answer["model"]:
            score = f"reads {answer['right']} of {answer['asked']} golden digits"
            yield ok("runtime", f"{answer['version']} with {answer['model']} {score}")
            continue
        if done.status == TIMED_OUT:
            yield timed_out("runtime", done._replace(error=f"{package}: {done.error}"))
            continue
        error = answer["error"] if answer else trial.signal_problem(done.status) or problem_of(done)
        level = warning if works else failure
        why = "the model or this runtime is broken; nothing can be read if edge run uses this runtime"
        mend = machine.pip("--force-reinstall", package)
        if machine.settings.model:
            why, mend = (
                "nothing can be read with your model until you do so; this tries the model of the package",
                "edge doctor --model ''",
            )
        yield level("runtime", f"{package}: {error}", why, mend)


def _stand_in(machine: Machine) -> Iterable[Finding]:
    """NumPy in place of a TFLite runtime: with 32 bits often all there is, but slow."""
    done = machine.run(trial.trial_command(machine.settings.model, runtime=STAND_IN))
    answer = trial.parse_answer(done.out) if done.status == 0 else None
    package = "ai-edge-litert" if machine.bits == 64 else "tflite-runtime"
    # tflite-runtime has wheels of ARMv7 for Python 3.11 at the latest.
    exists = machine.bits == 64 or (machine.python <= (3, 11) and not machine.architecture.startswith("armv6"))
    if done.status == TIMED_OUT:
        yield timed_out("runtime", done._replace(error=f"NumPy in place of a TFLite runtime: {done.error}"))
    elif not answer or not answer["model"]:
        error = answer["error"] if answer else trial.signal_problem(done.status) or problem_of(done)
        why = "no TFLite runtime is installed, and NumPy, which stands in, cannot read with this model"
        yield failure("runtime", error, why, machine.pip(package) if exists else "edge doctor --model ''")
    else:
        score = f"reads {answer['right']} of {answer['asked']} golden digits, {answer['digit_ms']:.1f} ms each"
        said = f"{answer['version']}, with {answer['model']}: {score}"
        if exists:
            why = "no TFLite runtime is installed; with one, the model takes about a tenth of the time"
            yield warning("runtime", said, why, machine.pip(package))
        else:
            yield ok("runtime", f"{said}; there is no TFLite runtime for this system")


def model(machine: Machine) -> Iterable[Finding]:
    """Whether the model of the settings was given up because it crashed the program."""
    setting = machine.settings.model
    if not setting:
        yield ok("model", "the one of the package")
        return
    service = f"/var/lib/{machine.unit_value('StateDirectory').split(' ')[0]}" if machine.for_service else ""
    try:
        folder = state_folder.locate(service or machine.settings.state)
        index = ModelRegistry(machine.path(str(folder))).read_index()
        ours = index.path in (str(Path(setting).absolute()), str(folder / setting))
        content = machine.path(index.path).read_bytes() if ours and index.given_up else b""
    except (StateError, OSError):
        # It cannot be read by this user, or is damaged, which edge run says.
        content = b""
    if not content or sha256(content).hexdigest() != index.given_up:
        yield ok("model", setting)
        return
    command = f"edge model rollback --model {shlex.quote(setting)}"
    if machine.config:
        command = f"edge model rollback --config {shlex.quote(machine.config)}"
    if machine.for_service:
        command = f"sudo {machine.prefix / 'bin' / command}"
    why = "edge run uses the model before instead; this puts that one in its place, or copy a better one there"
    yield warning("model", f"{setting}: crashed the program again and again", why, command)


def numpy(machine: Machine) -> Iterable[Finding]:
    """Whether apt's packages that picamera2 needs were built for this NumPy."""
    done = machine.child(TRY_NUMPY)
    version, _, with_simplejpeg = done.out.strip().partition(" ")
    if done.status == 0:
        yield ok(
            "numpy",
            f"{version}; simplejpeg works with it" if with_simplejpeg else f"{version}; simplejpeg is not installed",
        )
    elif done.status == TIMED_OUT:
        yield timed_out("numpy", done)
    else:
        why = (
            "picamera2 needs simplejpeg, and apt's is built for another NumPy: install the NumPy that it was built for"
        )
        needed = machine.source[0] == "picamera2" and machine.pi
        yield (failure if needed else warning)("numpy", problem_of(done), why, machine.pip(*OLD_NUMPY))
