"""The store compared with a list, over random sequences of operations."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.store.settings import StoreSettings
from edge.store.store import Store
from edge.types import Notice

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b"])
ROWS = 40


class Machine(RuleBasedStateMachine):
    """Knows what was appended, and for each publisher what it got and what was dropped."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "events.db"
        self.sent: list[tuple[str, int]] = []
        self.next: dict[str, int] = {}
        self.dropped: dict[str, int] = {}
        self.store = self.open()

    def open(self) -> Store:
        # Days and megabytes are the clock's and the disk's; rows are the same everywhere.
        return Store(self.path, device="shed", limits=StoreSettings(rows=ROWS))

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(many=st.integers(1, 30))
    def append(self, many: int) -> None:
        for n in range(many):
            entry = self.store.append(Notice("camera", "running", f"v4l2:/dev/video{n}", NOON, None))
            self.sent.append((entry.boot_id, entry.seq))

    @rule(name=NAMES)
    def publisher(self, name: str) -> None:
        """A new publisher starts after the newest entry; a known one continues where it stopped."""
        self.store.outlet(name)
        self.next.setdefault(name, len(self.sent))
        self.dropped.setdefault(name, 0)

    @precondition(lambda self: self.next)
    @rule(data=st.data(), limit=st.integers(1, 50), share=st.floats(0, 1, allow_subnormal=False))
    def send(self, data: st.DataObject, limit: int, share: float) -> None:
        """Send some of what is pending; missing entries are the oldest, and are counted as dropped."""
        name = data.draw(st.sampled_from(sorted(self.next)))
        outlet = self.store.outlet(name)
        entries = outlet.pending(limit)
        keys = [(entry.boot_id, entry.seq) for entry in entries]
        gone = outlet.backlog().dropped - self.dropped[name]
        assert 0 <= gone <= max(0, len(self.sent) - self.next[name] - ROWS), "no more than the limit wants"
        self.dropped[name] += gone
        self.next[name] += gone
        assert keys == self.sent[self.next[name] : self.next[name] + limit], "the oldest, in order, with no gap"
        done = round(share * len(entries))
        if done:
            outlet.done(entries[done - 1].position)
            self.next[name] += done

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.open()

    @rule()
    def kill(self) -> None:
        """Another process opens what the kernel has of the files; the saved progress may be some seconds old."""
        then = self.folder / "then"
        then.mkdir()
        for file in self.folder.glob("events.db*"):
            if file.suffix != ".db-shm":
                shutil.copy(file, then / file.name)
        self.store.close()
        for file in self.folder.glob("events.db*"):
            file.unlink()
        for file in then.iterdir():
            file.rename(self.folder / file.name)
        then.rmdir()
        self.store = self.open()
        for name, at in self.next.items():
            entries = self.store.outlet(name).pending(10_000)
            self.dropped[name] = self.store.outlet(name).backlog().dropped
            keys = [(entry.boot_id, entry.seq) for entry in entries]
            begin = self.sent.index(keys[0]) if keys else len(self.sent)
            oldest = len(self.sent) - ROWS
            assert begin <= max(at, oldest) and keys == self.sent[begin:], "sent again perhaps, lost never"
            self.next[name] = begin

    @invariant()
    def no_number_twice(self) -> None:
        assert len(set(self.sent)) == len(self.sent)
        assert [seq for _, seq in self.sent] == sorted(seq for _, seq in self.sent)

    @invariant()
    def counts_add_up(self) -> None:
        for name, at in self.next.items():
            backlog = self.store.outlet(name).backlog()
            missed = backlog.dropped - self.dropped[name]
            assert backlog.count + missed == len(self.sent) - at


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=25, stateful_step_count=20)
