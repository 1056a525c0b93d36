import subprocess
import sys

FRAMES = """
import resource, sys
import numpy as np
from edge.reader import Reader
if sys.argv[1] == "settled":
    from edge.process import settle
    settle()
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


def test_a_settled_process_keeps_its_memory_from_frame_to_frame() -> None:
    frames, few = 20, 10
    assert faults("settled") < frames * few < faults("as it is")
