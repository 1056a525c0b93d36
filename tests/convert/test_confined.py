"""What a model that somebody else made can reach: real processes, with the limits that this kernel has."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convert import confined, results
from convert.cli import convert_main
from convert.data.mnist import FILES
from convert.system import confinement, landlock, seccomp
from convert.system.confinement import Protections
from edge.errors import ConvertError, ModelError
from tests.hostile import keras_files
from tests.support import files, small

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable
PROGRAM = """
import json, os, resource, signal, socket, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from convert.system import confinement
reading = [Path(path) for path in ("/usr", "/lib", "/lib64", "/proc/self", sys.base_prefix, sys.prefix, {root!r})]
found = confinement.confine(reading, [Path({own!r})])
def tried(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return "done"
own = Path({own!r})
print(json.dumps({{
    "landlock": found.landlock,
    "network": found.network,
    "seccomp": found.seccomp,
    "own": tried(lambda: (own / "new").write_text("x")),
    "other": tried(lambda: Path({other!r}).write_text("x")),
    "secret": tried(lambda: Path({secret!r}).read_bytes()),
    "link": tried(lambda: (own / "link").symlink_to("/etc")),
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", {port}), 2)),
    "signal": tried(lambda: os.kill(os.getppid(), 0)),
    "session": tried(os.setsid),
    "mode": tried(lambda: os.chmod({secret!r}, 0o777)),
    "door": tried(lambda: socket.socket(socket.AF_UNIX).connect({door!r})),
    "memory": tried(lambda: bytearray(3 * 2**30)),
    "large": tried(lambda: os.truncate(own / "new", 2**40)),
}}))
"""


def test_a_confined_process_reaches_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "secret").write_text("secret")
    door = str(tmp_path / "door")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as other:
        other.bind(door)
        other.listen()
        program = PROGRAM.format(
            root=str(ROOT), own=str(tmp_path / "own"), other=str(tmp_path / "other"),
            secret=str(tmp_path / "secret"), port=server.getsockname()[1], door=door,
        )  # fmt: skip
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["own"] == "done" and said["memory"] == "MemoryError" and said["large"] == "OSError"
    assert said["landlock"] == landlock.version()
    if said["landlock"]:
        assert said["other"] == said["secret"] == said["link"] == "PermissionError"
        assert not (tmp_path / "other").exists()
    if said["network"] != "none":
        assert said["connect"] != "done"
    assert said["seccomp"] == bool(seccomp.machine())
    if said["seccomp"]:
        assert said["session"] == said["mode"] == said["door"] == "PermissionError"
    if said["landlock"] >= 6:
        assert said["signal"] == "PermissionError"


@pytest.mark.parametrize(("work", "ending"), [("pass", signal.SIGPROF), ("time.sleep(9)", signal.SIGALRM)])
def test_a_process_that_computes_or_waits_for_too_long_is_ended(work: str, ending: signal.Signals) -> None:
    program = f"import time\nfrom convert.system.confinement import allow\nallow(0.2)\nwhile True: {work}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert done.returncode == -ending


@pytest.mark.parametrize(
    ("status", "words"),
    [(-signal.SIGPROF, "takes longer"), (-signal.SIGALRM, "takes longer"), (-signal.SIGKILL, "memory runs out"),
     (-signal.SIGSEGV, "SIGSEGV"), (-64, "signal 64|SIGRTMAX"), (3, "status 3")],
)  # fmt: skip
def test_each_ending_is_one_line(status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = f"os._exit({status})" if status > 0 else f"os.kill(os.getpid(), {-status})"
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, f"import os\n{ends}")))
    with pytest.raises(ConvertError, match=words) as ended:
        confined.run("inspect", {"model": tmp_path / "m.tflite"}, False)
    assert "\n" not in str(ended.value) and "; " in str(ended.value)


def test_an_answer_cannot_command_the_terminal_nor_lead_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the model had taken over the process."""
    answers = 'import json; print(json.dumps({"text": "\\x1b[1mbold\\x1b[0m \\x1b[2J\\x07\\x1b[8m\\x9b\\nnext"}))'
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, answers)))
    options = {"model": Path("m"), "terminal": True}
    assert confined.run("inspect", options, False) == "\x1b[1mbold\x1b[0m ?[2J??[8m?\nnext"
    assert confined.run("inspect", {"model": Path("m")}, False) == "?[1mbold?[0m ?[2J??[8m?\nnext"
    secret = tmp_path / "secret"
    secret.write_text("secret")
    # Its folder is in TMPDIR.
    leads = f'import os; os.symlink({str(secret)!r}, os.environ["HOME"] + "/converted.tflite"); print("{{}}")'
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, leads)))
    options = {"model": Path("m"), "output": tmp_path / "out.tflite", "report": tmp_path / "report"}
    with pytest.raises(ConvertError, match="was not written"):
        confined.run("convert", options, False)
    assert not (tmp_path / "out.tflite").exists() and not (tmp_path / "report").exists()


PAGE = f"{results.HEAD}m</title></head><body>"


@pytest.mark.parametrize(
    ("name", "content"),
    [("report.html", "<script>x</script>"), ("report.html", "plain"), ("report.html", f"{PAGE}<SCRIPT>x</SCRIPT>"),
     ("report.html", f"{PAGE}<meta http-equiv=refresh>"), ("report.html", f"{PAGE}<a href=x>"),
     ("report.html", f"{PAGE}<ul\v><form>"), ("report.json", "[]"), ("report.json", "{"),
     ("report.json", "[" * 10**5)],
)  # fmt: skip
def test_a_report_that_does_more_than_show_is_not_kept(
    name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves = (
        "import os; home = os.environ['HOME']; os.mkdir(home + '/report')\n"
        f"open(home + '/report/{name}', 'w').write({content!r}); print('{{}}')"
    )
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, leaves)))
    options = {"model": Path("m"), "output": tmp_path / "out.tflite", "report": tmp_path / "report"}
    with pytest.raises(ConvertError, match=f"{name}: is not what edge-convert writes"):
        confined.run("convert", options, False)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("content", [b"env secret: x", files.GOOD[:-9], files.GOOD.replace(b"TFL3", b"TFL4")])
def test_a_file_that_is_no_model_is_not_kept(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "left").write_bytes(content)
    leaves = (
        f"import os, shutil; shutil.copy({str(tmp_path / 'left')!r}, os.environ['HOME'] + '/converted.tflite')\n"
        "print('{}')"
    )
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, leaves)))
    options = {"model": Path("m"), "output": tmp_path / "out.tflite", "report": tmp_path / "report"}
    with pytest.raises(ModelError):
        confined.run("convert", options, False)
    assert not (tmp_path / "out.tflite").exists()


def test_facts_that_are_none_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "left").write_bytes(files.GOOD)
    leaves = (
        f"import os, shutil; shutil.copy({str(tmp_path / 'left')!r}, os.environ['HOME'] + '/converted.tflite')\n"
        "open(os.environ['HOME'] + '/facts.json', 'w').write('{\"operators\": [\"Relu(); system(\"]}'); print('{}')"
    )
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, leaves)))
    out = tmp_path / "own" / "out.tflite"
    out.parent.mkdir()
    options = {"model": Path("m"), "output": out, "report": tmp_path / "report", "target": "tflm"}
    with pytest.raises(ConvertError, match=r"facts\.json: is not what edge-convert writes"):
        confined.run("convert", options, False)
    assert not list(out.parent.iterdir())


def test_it_gets_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "TF_VAR_password", "TF_TOKEN_host", "PYTHONPATH_KEY", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    kept = confinement.environment(tmp_path)
    assert "secret" not in kept.values()
    assert kept["LC_ALL"] == "C.UTF-8" and kept["TF_ENABLE_ONEDNN_OPTS"] == "0" and kept["PATH"] == os.environ["PATH"]
    assert kept["HOME"] == f"{tmp_path}/"[:-1]


@pytest.mark.parametrize("option", ["model", "architecture", "data"])
def test_a_pipe_is_refused_at_once(option: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConvertError, match="pipe: is neither a file nor a folder; "):
        confined.run("inspect", {"model": tmp_path / "m", option: tmp_path / "pipe"}, False)


def test_links_in_the_folder_of_the_data_are_followed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The first of the four files is no MNIST, which only one who can read it can say."""
    (tmp_path / "mnist").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"x")
    (tmp_path / "mnist" / FILES[0]).symlink_to(tmp_path / "elsewhere")
    model = keras_files.plain(tmp_path / "m.h5")
    assert convert_main([str(model), "--data", str(tmp_path / "mnist")]) == 1
    _, err = capfd.readouterr()
    assert "is not a complete MNIST file" in err and "Permission denied" not in err


def test_fonts_that_may_not_be_read_are_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, pattern: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "glob", refused)
    confined._give_fonts(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["time.sleep(60)", "os.kill(os.getpid(), 9)"])
def test_the_terminal_shows_its_cursor_again(ending: str, tmp_path: Path) -> None:
    hides = f"import os, time\nos.write(2, b'\\x1b[?25lloading')\n{ending}"
    code = (
        f"import sys; sys.executable = {str(program(tmp_path, hides))!r}; from convert.cli import convert_main;"
        " sys.exit(convert_main(['inspect', 'm.tflite']))"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen([PYTHON, "-c", code], cwd=ROOT, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"\x1b[?25h" not in shown:
            shown += os.read(ours, 1000)
            if shown.endswith(b"loading") and "sleep" in ending:
                process.terminate()
    os.close(ours)
    assert process.returncode in (1, 143)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGPROF"])
def test_nothing_goes_on_after_the_end(name: str, tmp_path: Path) -> None:
    """SIGINT goes to ``edge-convert``, as Ctrl-C does; SIGPROF to the process that reads the model."""
    (tmp_path / "temporary").mkdir()
    pids = tmp_path / "pids"
    text = (
        "import os, subprocess, time\n"
        'other = subprocess.Popen(["sleep", "60"])\n'
        f'with open({str(tmp_path / "half")!r}, "w") as file:\n    print(os.getpid(), other.pid, file=file)\n'
        f"os.rename({str(tmp_path / 'half')!r}, {str(pids)!r})\ntime.sleep(60)"
    )
    # Under nohup, SIGHUP would be ignored.
    code = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        f" sys.executable = {str(program(tmp_path, text))!r}; from convert.cli import convert_main;"
        " sys.exit(convert_main(['inspect', 'm.tflite']))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    with subprocess.Popen(
        [PYTHON, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        while not pids.exists():
            assert process.poll() is None
            time.sleep(0.05)
        reading, other = map(int, pids.read_text().split())
        os.kill(reading if name == "SIGPROF" else process.pid, signal.Signals[name])
        _, err = process.communicate(timeout=60)
    if name != "SIGPROF":
        assert (process.returncode, err) == (128 + signal.Signals[name], "")
    else:
        assert process.returncode == 1 and err.startswith("edge-convert: m.tflite: takes longer than")
    assert not is_running(reading) and not is_running(other)
    assert not list((tmp_path / "temporary").iterdir())


def is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def program(folder: Path, text: str) -> Path:
    """An executable that takes the place of Python."""
    path = folder / "program"
    path.write_text(f"#!{PYTHON}\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_model_is_inspected_in_a_process_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(files.GOOD)
    assert convert_main(["inspect", str(path)]) == 0
    out, err = capfd.readouterr()
    assert err == "" and "CONV_2D" in out and str(path) in out


@pytest.mark.parametrize("name", ["external", "virtual", "doubled", "bomb"])
def test_a_hostile_file_is_refused_before_keras_is_started(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import h5py

    path = keras_files.plain(tmp_path / "m.h5")
    with h5py.File(path, "r+", libver="latest") as stored:
        keras_files.changes(tmp_path / "secret")[name](stored)
    arguments = [str(path), "--data", str(small.write_npz(tmp_path / "mnist.npz")), "-o", str(tmp_path / "out.tflite")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert convert_main(arguments) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"edge-convert: {path}: its ")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 3
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.slow
def test_a_good_model_is_converted_and_the_report_says_what_was_in_force(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    small.keras()
    path = small.saved(small.trained(), tmp_path / "m.h5")
    capfd.readouterr()
    data = str(small.write_npz(tmp_path / "mnist.npz"))
    assert convert_main([str(path), "--data", data, "--recipe", "float32"]) == 0
    out, err = capfd.readouterr()
    assert err == "" and "process of its own" in " ".join(out.split())
    said = json.loads((tmp_path / "m-report" / "report.json").read_text("utf-8"))["protections"]
    assert Protections(**said).landlock == landlock.version()
    assert said["memory_bytes"] == confinement.MEMORY_BYTES + confinement.THREAD_BYTES * (os.cpu_count() or 1)
