"""libcamera locks the media devices that it uses, with lockf(3): whether that is seen."""

import subprocess
import sys

from edge.sources import media_nodes

LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+") as node:
    fcntl.lockf(node, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_program_that_takes_or_leaves_the_camera_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(media_nodes, "DEVICES", tmp_path)
    for name in ("media0", "video0", "tty0"):
        (tmp_path / name).touch()
    free = media_nodes.media_nodes()
    assert {name for name, *_ in free} == {"media0", "video0"}
    command = [sys.executable, "-c", LOCK, str(tmp_path / "media0")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert media_nodes.media_nodes() != free
        other.stdin.close()
    assert media_nodes.media_nodes() == free
