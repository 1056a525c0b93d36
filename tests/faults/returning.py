"""How soon the first frame of a network camera comes after it is back, if it was away for a while.

    python -m tests.faults.returning [SECONDS AWAY ...]

A real MJPEG server on 127.0.0.1 is stopped and started again, and so is one behind a server that answers 503 meanwhile.
"""
# ruff: noqa: T201

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2
import numpy as np

from edge.errors import SourceError
from edge.sources import open_source

AWAY_SECONDS = (5.0, 70.0)
"""For how long the camera is away. After 70 s each pause between two attempts is 15 to 30 s long."""


class Server(ThreadingHTTPServer):
    """Frames of noise, 20 a second; with ``ill`` true it only answers 503."""

    daemon_threads = True
    allow_reuse_address = True
    ill = stopped = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Mjpeg)
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Close the connections and the port."""
        self.stopped = True
        self.shutdown()
        self.server_close()


class Mjpeg(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(503 if self.server.ill else 200)
        self.end_headers()

    def do_GET(self) -> None:
        if self.server.ill:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        rng = np.random.default_rng()
        while not (self.server.stopped or self.server.ill):
            jpeg = cv2.imencode(".jpg", rng.integers(0, 256, (48, 64), np.uint8))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *said: object) -> None:
        """Log nothing."""


def first_frame(source: object) -> float:
    """When the next frame comes, monotonic seconds."""
    while True:
        try:
            next(source)  # type: ignore[call-overload]
            return time.monotonic()
        except SourceError:
            continue


def measure(away: float, *, ill: bool) -> float:
    """Seconds from the server's return to the first frame, after ``away`` seconds without it."""
    server = Server()
    port = server.server_port
    with open_source(f"http://127.0.0.1:{port}/cam") as source:
        first_frame(source)
        if ill:
            server.ill = True
        else:
            server.stop()
        end = time.monotonic() + away
        while time.monotonic() < end:
            try:
                next(source)
            except SourceError:
                continue
        back = time.monotonic()
        if ill:
            server.ill = False
        else:
            server = Server(port)
        took = first_frame(source) - back
    server.stop()
    return took


if __name__ == "__main__":
    for seconds in [float(text) for text in sys.argv[1:]] or AWAY_SECONDS:
        for ill in (False, True):
            how = "answering 503" if ill else "refusing connections"
            print(f"away {seconds:3.0f} s, {how}: first frame after {measure(seconds, ill=ill):.2f} s", flush=True)
