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
