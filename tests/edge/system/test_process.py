import subprocess
import sys
from platform import machine

import pytest

from tests.support.patience import patience

FRAMES = """
import resource, sys
import numpy as np
from edge.reading.reader import Reader
if sys.argv[1] == "tuned":
    from edge.system.process import after_imports
    after_imports()
reader, page = Reader(), np.full((960, 1280), 230, np.uint8)
page[100:300, 200:206] = page[100:106, 150:206] = 20
for _ in range(20):
    reader.read(page)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    reader.read(page)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", FRAMES, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_tuned_process_keeps_its_memory_from_frame_to_frame() -> None:
    frames, few = 20, 10
    as_it_is = faults("untuned")
    if machine() == "aarch64" and as_it_is < frames:
        pytest.skip("memory that is given back and taken again makes no page faults here, as under qemu-user")
    assert faults("tuned") < frames * few < as_it_is


def test_a_start_makes_no_threads_and_collects_as_usual_after_the_imports() -> None:
    program = """
import gc, os
# One; under qemu-user two.
threads = len(os.listdir("/proc/self/task"))
from edge.system.process import after_imports, before_imports
usual = gc.get_threshold()
before_imports()
import numpy
assert gc.get_threshold() > usual
after_imports()
print(len(os.listdir("/proc/self/task")) - threads, gc.get_threshold() == usual, gc.get_freeze_count() > 1000)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", "True"]


def test_code_pages_are_dropped_and_come_back() -> None:
    program = """
import cv2, ctypes, re
import numpy as np
from edge.system.process import drop_code_pages
def of_files():
    return int(re.search(r"RssFile:\\s+(\\d+)", open("/proc/self/status").read())[1])
picture = np.random.default_rng(0).integers(0, 255, (480, 640), np.uint8)
before, held = cv2.medianBlur(picture, 5), of_files()
drop_code_pages(ctypes.CDLL(None))
print(held - of_files(), (cv2.medianBlur(picture, 5) == before).all())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    less, same = done.stdout.split()
    assert same == "True"
    # KiB; under qemu-user all code is its own.
    assert int(less) > 5000 or machine() == "aarch64"


BUSY = """
import sys, threading
import cv2, numpy as np
from edge.system.process import before_exit

picture, begun = np.zeros((3000, 3000), np.uint8), threading.Event()

def work():
    while True:
        begun.set()
        cv2.GaussianBlur(picture, (31, 31), 0)

threading.Thread(target=work, daemon=True).start()
begun.wait()
print("said")
before_exit(3)
"""


def test_a_thread_inside_a_library_does_not_abort_the_end() -> None:
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=patience(60))
        assert (done.returncode, done.stdout, done.stderr) == (3, "said\n", "")
