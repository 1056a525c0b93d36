from tests.scoreboard.tally import Outcome, tally


def test_a_blank_reader_misses_all_and_invents_nothing() -> None:
    found = tally([Outcome("12\n3", "", 2.0), Outcome("4", "", 4.0), Outcome("56", "", 9.0)])
    assert (found.pictures, found.exact, found.error_rate, found.false, found.milliseconds) == (3, 0.0, 1.0, 0.0, 4.0)


def test_a_blank_reader_is_right_where_nothing_is_written() -> None:
    found = tally([Outcome("", "", 1.0), Outcome("", "71", 1.0)])
    assert found.exact == 0.5
    assert found.false == 1.0


def test_line_breaks_do_not_count() -> None:
    assert tally([Outcome("123", "12\n3", 1.0)]).exact == 1


def test_wrong_is_not_what_is_left_out() -> None:
    readings = [("12", "", False), ("12", "12", False), ("12", "17", False), ("", "7", True)]
    found = tally(Outcome(truth, read, 1.0, unread) for truth, read, unread in readings)
    assert (found.wrong, found.silent) == (0.5, 0.25)


def test_slow_readings_are_counted() -> None:
    found = tally([Outcome("", "", float(n)) for n in range(1, 101)])
    assert (found.milliseconds, found.slow, found.slowest) == (50.5, 95.0, 100.0)
    assert tally([Outcome("", "", 3.0)]).slow == 3.0
