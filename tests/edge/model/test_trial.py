from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.cli import main
from edge.errors import ModelError
from edge.model import trial as room
from edge.model.trial import TrialResult, signal_problem, trial_command, try_model
from tests.support import files
from tests.support.patience import patience

pytestmark = files.QUIET
OUTCOMES = {
    "crash": "crashes the TFLite runtime",
    "slow": "gave no answer",
    "memory": "memory|MiB",
    "refused": "refuses it|does not run|golden digits|input has|damaged|not a .tflite|outputs for|inputs|outputs",
}
"""What may happen to a damaged model -> words of the error."""


def refusal(content: bytes, **how: int) -> str:
    with pytest.raises(ModelError) as refused:
        try_model(content, "shelf/m.tflite", **how)
    text = str(refused.value)
    assert text.startswith("shelf/m.tflite: ") and "\n" not in text and len(text) < 400
    return text


def test_a_good_model_passes() -> None:
    passed = try_model(files.GOOD, "m.tflite")
    assert re.fullmatch(r"mnist sha256:[0-9a-f]{12}", passed.name)
    assert re.fullmatch(r"(ai-edge-litert|tflite-runtime) [0-9.]+", passed.runtime)
    assert passed == TrialResult(passed.name, passed.runtime, 50, 50)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"hello world", "is not a .tflite model"),
        # tflite-runtime may read past its end: that is why a model is tried in a process of its own.
        (files.BARE[: len(files.BARE) // 2], "refuses it|crashes the TFLite runtime"),
        (files.GOOD[:1000] + bytes(100) + files.GOOD[1100:], "is damaged or only partly copied"),
        (files.GOOD[: len(files.GOOD) - 200], "is damaged"),
        (
            files.with_card(replace(files.card(), labels=("a", "b"))),
            f"has {10 + len(files.OTHERS)} outputs for 2 labels",
        ),
        (files.with_card(replace(files.card(), paper=1.0, ink=0.0)), "reads only .* of 50 golden digits"),
    ],
    ids=["empty", "text", "half", "hash", "card", "labels", "inverted"],
)
def test_what_is_wrong_is_one_line(content: bytes, why: str) -> None:
    assert re.search(why, refusal(content))


def test_a_weak_model_passes_where_it_may_be_weak() -> None:
    inverted = files.with_card(replace(files.card(), paper=1.0, ink=0.0))
    found = try_model(inverted, "m.tflite", weak=True)
    assert found.asked == 50 and found.right < 43
    with pytest.raises(ModelError, match="labels"):
        try_model(files.with_card(replace(files.card(), labels=("a", "b"))), "m.tflite", weak=True)


@pytest.mark.slow
def test_a_model_that_may_only_be_fed_wrongly_is_to_be_adopted() -> None:
    tf = pytest.importorskip("tensorflow")
    blind = files.tflite(lambda x: tf.reshape(x, (1, 784))[:, :10])
    said = refusal(blind)
    assert "of 50 golden digits" in said and "; edge-convert adopt shelf/m.tflite, on a workstation, makes" in said
    assert try_model(blind, "shelf/m.tflite", weak=True).weakness == said


@pytest.mark.slow
def test_an_endless_model_is_ended() -> None:
    started = time.monotonic()
    assert "gave no answer within 4 s" in refusal(files.endless(), seconds=4)
    assert time.monotonic() - started < patience(30)


def test_a_model_cannot_use_up_the_memory() -> None:
    tf = pytest.importorskip("tensorflow")

    def huge(x: Any) -> Any:
        # 28 * 28 * 4,000,000 bytes and more.
        return tf.reduce_mean(tf.tile(x, (1, 1000, 1000, 1)), (2, 3))[:, :10]

    said = refusal(files.tflite(huge))
    assert "()" not in said
    assert re.search("MiB|memory|crashes|refuses|does not run", said)


def test_the_child_bounds_its_memory() -> None:
    bare = "import resource as r; r.setrlimit(r.RLIMIT_AS, (2**29, 2**29)); bytearray(2**30)"
    if not subprocess.run([sys.executable, "-c", bare], capture_output=True).returncode:
        pytest.skip("no process can bound its memory here, as under qemu-user")
    program = (
        "from edge.model import trial; import sys; trial._limit_memory(); data = bytearray(64 * 2**20)\n"
        "try: data = bytearray(300 * 2**20)\n"
        "except MemoryError: sys.exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 7


def test_a_crash_of_the_runtime_ends_only_the_trial() -> None:
    """Found by fuzzing: the runtime reads an input that is optional in the file, but must not be missing."""
    said = refusal(files.crashing())
    assert said == "shelf/m.tflite: crashes the TFLite runtime (SIGSEGV); use another model, or convert this one again"


def test_a_crash_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    crash = "import os, signal, sys; sys.stdin.buffer.read(); os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(room, "trial_command", lambda *file, **how: [sys.executable, "-c", crash])
    assert (
        refusal(files.GOOD)
        == "shelf/m.tflite: crashes the TFLite runtime (SIGSEGV); use another model, or convert this one again"
    )


def test_a_child_that_says_nothing_or_reads_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for program, why in (
        ("pass", "gave no answer when it was tried"),
        ("print('[1]')", "gave no answer when it was tried"),
        ("import sys; sys.exit('the disk is on fire')", "the disk is on fire"),
    ):
        monkeypatch.setattr(room, "trial_command", lambda file, program=program, **how: [sys.executable, "-c", program])
        assert why in refusal(files.GOOD * 20)
    monkeypatch.setattr(room, "trial_command", lambda *file, **how: ["/no/such/python"])
    assert "could not be tried (No such file or directory)" in refusal(files.GOOD)


@pytest.mark.slow
def test_a_trial_that_ignores_its_alarm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "GRACE_SECONDS", 0.0)
    deaf = "import signal, time; signal.alarm(0); time.sleep(60)"
    monkeypatch.setattr(room, "trial_command", lambda *file, **how: [sys.executable, "-c", deaf])
    assert "gave no answer within 4 s" in refusal(files.GOOD, seconds=1)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, ""),
        (3, ""),
        (-signal.SIGABRT, "crashes the TFLite runtime (SIGABRT)"),
        (-signal.SIGKILL, "memory runs out"),
        (-signal.SIGPROF, "gave no answer within 25 s of computing"),
        (-signal.SIGALRM, "gave no answer within 100 s"),
        (-99, "crashes the TFLite runtime (signal 99)"),
    ],
)
def test_how_a_child_ended(status: int, words: str) -> None:
    assert words in signal_problem(status) and bool(words) == bool(signal_problem(status))


def test_it_has_the_lowest_priority_and_is_killed_first(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # It waits for the file, which never comes, after it stood back.
    with subprocess.Popen(trial_command(str(fifo)), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        try:
            for _ in range(500):
                score = int(Path(f"/proc/{child.pid}/oom_score_adj").read_text())
                theirs, ours = (os.getpriority(os.PRIO_PROCESS, process) for process in (child.pid, 0))
                if score == 1000 and theirs >= min(ours + 1, 19):
                    break
                time.sleep(0.02)
            else:
                raise AssertionError("it did not lower its priority")
        finally:
            child.kill()


@pytest.mark.slow
def test_damaged_flatbuffers_are_each_one_line() -> None:
    """Seeded damages of the packaged model's structure, without a card, so that the runtime itself meets them."""
    rng = np.random.default_rng(5)
    plain = np.frombuffer(files.BARE, np.uint8)
    # Where bytes repeat there are tables and offsets; weights look random.
    blocks = plain[: len(plain) // 64 * 64].reshape(-1, 64)
    structure = np.flatnonzero(np.repeat([len(np.unique(block)) < 32 for block in blocks], 64))
    damaged = []
    for _ in range(36):
        content = plain.copy()
        for place in rng.choice(structure, int(rng.integers(1, 9))):
            content[place] = rng.integers(256)
        content[4:8] = plain[4:8]
        damaged.append(content.tobytes())
    outcomes: Counter[str] = Counter()

    def tried(contents: list[bytes]) -> None:
        for content in contents:
            try:
                try_model(content, "m.tflite", seconds=20)
                outcomes["accepted"] += 1
            except ModelError as error:
                assert "\n" not in str(error)
                outcomes[next(name for name, words in OUTCOMES.items() if re.search(words, str(error)))] += 1

    threads = [threading.Thread(target=tried, args=(damaged[i::2],)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.total() == len(damaged), "each damage is an outcome with its own line"
    assert outcomes["refused"] + outcomes["crash"] > 0


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.tflite").write_bytes(files.GOOD)
    (tmp_path / "bad.tflite").write_bytes(files.BARE[:5000])
    assert main(["model", "check", str(tmp_path / "good.tflite")]) == 0
    out, error = capsys.readouterr()
    assert re.fullmatch(
        r".*good.tflite: mnist sha256:\w{12} is accepted: with .* it reads 50 of 50 golden digits\n", out
    )
    assert error == ""
    for name, why in (("bad", "refuses it"), ("none", "no such file")):
        assert main(["model", "check", str(tmp_path / f"{name}.tflite")]) == 1
        out, error = capsys.readouterr()
        assert out == "" and len(error.splitlines()) == 1 and why in error and f"{name}.tflite: " in error
