from __future__ import annotations

import pytest

from edge.system import seldom


def test_each_kind_is_due_again_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(seldom.time, "monotonic", lambda: now)
    one = seldom.Seldom()
    assert [one.is_due(kind, 10.0) for kind in "aab"] == [True, False, True]
    now = 109.0
    assert not one.is_due("a", 10.0)
    now = 110.0
    assert one.is_due("a", 10.0) and not one.is_due("a", 10.0)
