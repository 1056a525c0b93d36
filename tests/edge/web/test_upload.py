"""Pictures sent to a whole ``edge run``: memory stays bounded, whatever they are and however many."""

import socket
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import bombs
from tests.support.patience import patience
from tests.support.web import device


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with device(tmp_path_factory.mktemp("here"), source="synthetic:?fps=5&hold=30") as running:
        yield running


def memory(running, name):
    """Memory of the process, bytes. VmHWM is its peak since ``reset_peak``."""
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def reset_peak(running):
    """Set the peak memory to the present memory: 5 in clear_refs (proc(5))."""
    Path(f"/proc/{running.process.pid}/clear_refs").write_text("5")


def packed(pixels, ending=".png"):
    return cv2.imencode(ending, pixels)[1].tobytes()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: bombs.png(16), id="grey of 16 bits"),
        pytest.param(lambda: bombs.png(8, 6), id="colour and alpha"),
        pytest.param(lambda: bombs.png(16, 6), id="colour and alpha of 16 bits"),
        pytest.param(lambda: bombs.png(8, side=8_000), id="more pixels than are read"),
        pytest.param(lambda: bombs.png(8, side=2**31 - 1), id="more pixels than there are"),
        pytest.param(lambda: bombs.film(), id="animated PNG"),
        pytest.param(lambda: bombs.jpeg(), id="progressive JPEG"),
        pytest.param(lambda: bombs.webp(), id="WebP"),
        pytest.param(lambda: bombs.webp(frames=2), id="animated WebP"),
        pytest.param(lambda: bombs.tiff(bits=64, form=3), id="TIFF of 64 bits"),
        pytest.param(lambda: bombs.tiff(100, 3, tile=16_000), id="TIFF with a large tile"),
    ],
)
@pytest.mark.slow
def test_a_decompression_bomb_is_refused_before_it_is_decoded(here, make):
    data = make()
    reset_peak(here)
    before = memory(here, "VmHWM")
    answer = here.ask("/api/read", data)
    assert answer.status in (413, 422) and list(answer.json) == ["error"] and "\n" not in answer.json["error"]
    assert memory(here, "VmHWM") - before < 20_000_000


LARGE = np.full((4400, 4500), 220, np.uint8)
cv2.putText(LARGE, "7", (1500, 3400), cv2.FONT_HERSHEY_SIMPLEX, 90, 30, 160)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: packed(np.tile(LARGE, (2, 1)), ".jpg"), id="JPEG"),
        pytest.param(lambda: bombs.jpeg(4700), id="progressive JPEG"),
        pytest.param(lambda: packed(np.tile(LARGE, (2, 1)).astype(np.uint16) * 257), id="PNG of 16 bits"),
        pytest.param(lambda: packed(np.dstack([LARGE, LARGE, LARGE, 255 - LARGE])), id="PNG with alpha"),
        pytest.param(
            lambda: packed(np.dstack([LARGE[:2200]] * 3 + [~LARGE[:2200]]).astype(np.uint16) * 257),
            id="PNG of 16 bits with alpha",
        ),
        pytest.param(lambda: bombs.tiff(3500, bits=32, form=3), id="TIFF of floating point"),
    ],
)
@pytest.mark.slow
def test_the_largest_pictures_stay_within_the_memory_of_a_service(here, make):
    data = make()
    reset_peak(here)
    before = memory(here, "VmHWM")
    assert here.ask("/api/read", data).status == 200
    assert memory(here, "VmHWM") - before < 200_000_000
    assert memory(here, "VmHWM") < 450_000_000


def test_a_jpeg_of_endless_scans_is_refused_at_once(here):
    begun = time.monotonic()
    answer = here.ask("/api/read", bombs.jpeg(5000, scans=1500, subsampling=2))
    assert answer.status == 422 and "scans or more, too many" in answer.json["error"]
    assert time.monotonic() - begun < patience(10), "reading all of them takes a minute"


def test_many_large_pictures_at_once_are_refused_for_now(here):
    """Each is 24 MB; there is room for two, which are read."""
    data = packed(LARGE[:1000], ".jpg").ljust(24_000_000, b"\0")
    seen = []

    def send():
        try:
            seen.append(here.ask("/api/read", data).status)
        except OSError:
            # The device answered and closed the connection during the upload.
            seen.append(503)

    reset_peak(here)
    before = memory(here, "VmHWM")
    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) <= {200, 503} and seen.count(200) >= 2 and seen.count(503) >= 1
    assert memory(here, "VmHWM") - before < 200_000_000
    assert here.ask("/api/read", packed(LARGE[:1000], ".jpg")).status == 200


def test_announced_bytes_are_reserved_before_they_arrive(here):
    head = b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 24000000\r\n\r\n"
    links = [socket.create_connection(("127.0.0.1", here.port), 10) for _ in range(3)]
    try:
        for link in links[:2]:
            link.sendall(head)
        time.sleep(0.3)
        links[2].sendall(head)
        answer = links[2].recv(1000).lower()
        assert answer.startswith(b"http/1.1 503 ") and b"retry-after: 1" in answer
    finally:
        for link in links:
            link.close()
    until = time.monotonic() + patience(10)
    while here.ask("/api/read", packed(LARGE[:100], ".jpg")).status == 503:
        assert time.monotonic() < until, "who has gone still has a place"
        time.sleep(0.05)
