"""Only the noise of C++ libraries is removed from stderr, also if several threads ask for that at once."""

import os
import subprocess
import sys
import threading

import cv2

from edge.system import stderr
from tests.support.patience import patience


def say(text):
    os.write(2, text.encode() + b"\n")


def test_noise_goes_and_nothing_else(capfd):
    with stderr.without("INFO: ") as kept:
        say("INFO: a delegate was made")
        say("a real error")
        kept.write("said at once\n")
        assert capfd.readouterr().err == "said at once\n"
    assert capfd.readouterr().err == "a real error\n"


def test_blocks_that_overlap_leave_stderr_as_it_was(capfd):
    """One thread begins first and ends first: what it puts back must not be the other one's file."""
    begun, ended = threading.Event(), threading.Event()

    def other():
        with stderr.without("Corrupt"):
            begun.set()
            assert ended.wait(patience(10))
            say("Corrupt JPEG data")
            say("of the other")

    thread = threading.Thread(target=other)
    with stderr.without("INFO: "):
        thread.start()
        assert begun.wait(patience(10))
        say("INFO: noise")
    ended.set()
    thread.join()
    say("after both")
    assert capfd.readouterr().err == "of the other\nafter both\n"


def test_many_threads_at_once_lose_nothing(capfd):
    def work(number):
        for turn in range(20):
            with stderr.without("noise"):
                say("noise")
                say(f"{number} {turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = capfd.readouterr().err.splitlines()
    assert sorted(said) == sorted(f"{number} {turn}" for number in range(8) for turn in range(20))


def test_lines_at_exit_are_shown_although_a_thread_is_still_inside():
    program = (
        "import sys, threading\n"
        "from edge.system import stderr\n"
        "inside = threading.Event()\n"
        "def work():\n"
        "    with stderr.without('noise'):\n"
        "        inside.set()\n"
        "        threading.Event().wait()\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "inside.wait()\n"
        "print('last words', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=patience(60))
    assert (done.returncode, done.stderr) == (0, "last words\n")


def test_opencv_says_afterwards_what_it_said_before():
    get, put = (
        (cv2.getLogLevel, cv2.setLogLevel)
        if hasattr(cv2, "setLogLevel")
        else (cv2.utils.logging.getLogLevel, cv2.utils.logging.setLogLevel)
    )
    before = get()
    put(3)
    first, second = stderr.silence_opencv(), stderr.silence_opencv()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert get() == 0
    second.__exit__(None, None, None)
    assert get() == 3
    put(before)
