import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.system.toml_text import with_value

SAMPLE = Path(__file__).parents[3] / "systemd" / "edge.toml"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('source = "a"\n', 'source = "b"\n'),
        ("source='a' # why\nweb=''\n", "source=\"b\" # why\nweb=''\n"),
        ('source = "a#1" # why\n', 'source = "b" # why\n'),
        ('# source = "a"\n', 'source = "b"\n# source = "a"\n'),
        ('[vision]\nsource = "x"\n', 'source = "b"\n[vision]\nsource = "x"\n'),
        ('note = """\nsource = "x"\n"""\nsource = "a"', 'note = """\nsource = "x"\n"""\nsource = "b"'),
        ('source = "a"\r\nweb = ""\r\n', 'source = "b"\r\nweb = ""\r\n'),
        ("", 'source = "b"\n'),
    ],
)
def test_only_the_value_changes(before: str, after: str) -> None:
    assert with_value(before, "source", "b") == after


def test_the_sample_settings_keep_every_comment() -> None:
    text = SAMPLE.read_text("utf-8")
    changed = with_value(text, "source", "picamera2:0?lens=3.5")
    differing = [pair for pair in zip(text.splitlines(), changed.splitlines(), strict=True) if pair[0] != pair[1]]
    assert differing == [('source = "picamera2:0"', 'source = "picamera2:0?lens=3.5"')]


@pytest.mark.parametrize("text", ['"source" = "a"\n', 'source = """\na\n"""\n', "source = [1,\n2]\n"])
def test_what_cannot_be_changed_safely_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not on a line of its own"):
        with_value(text, "source", "b")


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        with_value("source = \n", "source", "b")


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_is_quoted(value: str) -> None:
    assert tomllib.loads(with_value('source = "a"\n', "source", value)) == {"source": value}
