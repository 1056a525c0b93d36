from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import uri
from edge.errors import SettingsError


def takes(
    path: str, *, size: uri.Size = (1, 1), loop: uri.YesNo = False, n: Annotated[int, uri.whole_number(0, 9)] = 0
) -> None:
    """What stands for a source's class."""


def options(text: str) -> dict[str, object]:
    return uri.read_options(uri.split(text), takes)


def test_takes_a_uri_apart():
    assert uri.split("files:a/*.png?loop=1&fps=2")[1:] == ("files", "a/*.png", {"loop": "1", "fps": "2"})


def test_a_lone_question_mark_belongs_to_the_path():
    assert uri.split("files:img?.png?loop=1")[1:] == ("files", "img?.png", {"loop": "1"})


def test_a_path_is_no_scheme():
    assert uri.split("/tmp/a:b")[1:] == ("", "/tmp/a:b", {})


@given(st.text("abz09:?=&/.* é"))
def test_any_text_is_taken_apart_or_refused_in_one_line(text):
    try:
        parts = uri.split(text)
    except SettingsError as error:
        assert uri.public(text) in str(error)
    else:
        assert parts.what in text and parts.scheme in text


def test_reads_options_by_their_types():
    assert options("x:?size=640x480&loop=1&n=9") == {"size": (640, 480), "loop": True, "n": 9}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x:?sise=640x480", "no option 'sise', it has size, loop, n; did you mean 'size'?"),
        ("x:?size=640", "size is WIDTHxHEIGHT in pixels, each 16 to 8192, not '640'"),
        ("x:?size=640x4", "size is WIDTHxHEIGHT"),
        ("x:?n=10", "n is a whole number from 0 to 9, not '10'"),
        ("x:?n=1.5", "n is a whole number from 0 to 9, not '1.5'"),
        ("x:?loop=maybe", "loop is 0 or 1, not 'maybe'"),
        ("x:?n=1&n=2", "option 'n' is given twice"),
        ("x:?n=1&loop", "option 'loop' has no value"),
    ],
)
def test_a_wrong_option_is_named(text, problem):
    with pytest.raises(SettingsError) as error:
        options(text)
    assert str(error.value).startswith(f"{text}: ")
    assert problem in str(error.value)


@pytest.mark.parametrize("text", ["nan", "inf", "-0.1", "240.1", "", "ten"])
def test_a_number_is_in_its_range(text):
    with pytest.raises(ValueError):
        uri.number(0, 240).parse(text)
