from edge.system.stopwatch import Stopwatch


def test_each_lap_is_from_the_one_before() -> None:
    times = iter([0.0, 1.0, 1.5, 4.0, 10.0, 11.0, 11.25])
    watch = Stopwatch(lambda: next(times))
    watch.lap()
    watch.lap("clean")
    watch.lap("segment")
    watch.lap()
    watch.lap("clean")
    assert watch.take() == {"clean": 1.5, "segment": 2.5}
    watch.lap("clean")
    assert watch.take() == {"clean": 0.25}
    assert watch.take() == {}
