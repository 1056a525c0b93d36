"""What `edge doctor` looks at: the settings, the TFLite runtimes with the model, NumPy."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from edge.doctor.child import answer_of, ended, slow
from edge.doctor.finding import Finding, failure, ok, warning
from edge.doctor.machine import TIMED_OUT, Machine
from edge.model import RUNTIMES

TRY_RUNTIME = """
import importlib.metadata, importlib.util, json, sys
name, path = sys.argv[1:]
if not importlib.util.find_spec(name):
    print(json.dumps({"here": False}))
    sys.exit()
said = {"here": True, "version": importlib.metadata.version(name.replace("_", "-")), "model": "", "error": ""}
import numpy
from edge.errors import ModelError
from edge.model import Model
try:
    with Model(path or None, runtime=name) as model:
        model.predict(numpy.zeros((1, 28, 28), numpy.uint8))
        said["model"] = model.name
except ModelError as error:
    said["error"] = str(error)
print(json.dumps(said))
"""
"""Loads the model in one runtime and lets it read an empty glyph; says so as JSON."""
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
        yield ok("settings", f"{machine.settings.source} to {', '.join(machine.settings.publish)}")


def runtimes(machine: Machine) -> Iterable[Finding]:
    """Each TFLite runtime that is installed, and whether it runs the settings' model."""
    with ThreadPoolExecutor() as pool:
        tried = list(pool.map(lambda name: machine.child(TRY_RUNTIME, name, machine.settings.model), RUNTIMES))
    said = [answer_of(done) for done in tried]
    works = any(answer and answer.get("model") for answer in said)
    found = [name for name, answer in zip(RUNTIMES, said, strict=True) if answer != {"here": False}]
    if not found:
        yield failure("runtime", "no TFLite runtime", "nothing can be read without", machine.pip("ai-edge-litert"))
    for name, done, answer in zip(RUNTIMES, tried, said, strict=True):
        if name not in found:
            continue
        package = name.replace("_", "-")
        if answer and answer["model"]:
            yield ok("runtime", f"{package} {answer['version']} runs {answer['model']}")
            continue
        error = answer["error"] if answer else ended(done)
        level = warning if works or done.status == TIMED_OUT else failure
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
