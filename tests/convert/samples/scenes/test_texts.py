"""What is written has digits, and no letter beside them that could be one."""

from __future__ import annotations

import numpy as np

from convert.data.marks import LOOK_ALIKES
from convert.samples.scenes import texts


def drawn(text: texts.Text, count: int = 300) -> list[str]:
    rng = np.random.default_rng(7)
    return [text(rng) for _ in range(count)]


def test_every_entry_has_a_digit() -> None:
    assert all(any(character.isdecimal() for character in entry) for entry in drawn(texts.entry))


def test_a_number_has_as_many_digits_as_asked() -> None:
    numbers = drawn(lambda rng: texts.number(rng, 2, 4))
    assert {len(number) for number in numbers} == {2, 3, 4} and all(number.isdecimal() for number in numbers)


def test_letters_alone_beside_digits_differ_from_them_in_shape_or_place() -> None:
    # The tails of g and q hang below the line.
    assert not (LOOK_ALIKES - set("gq")) & set(texts.LONE_LETTERS) and not LOOK_ALIKES & set(texts.SIGNS)
    assert all(set(entry) - set("0123456789 ") for entry in drawn(texts.beside))


def test_what_is_among_others_has_a_digit_and_something_else() -> None:
    entries = drawn(texts.among_others)
    assert all(any(character.isdecimal() for character in entry) for entry in entries)
    assert sum(set(entry) - set("0123456789 ") != set() for entry in entries) > 0.9 * len(entries)


def test_sums_have_all_operators_and_most_ask_for_a_result() -> None:
    sums = drawn(texts.calculation)
    assert set("+-×÷/=().") < set("".join(sums)) and 0.6 < np.mean(["=" in one for one in sums]) < 0.9
