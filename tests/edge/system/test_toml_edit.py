"""A setting is changed in files as people write them, and nothing else in them is."""

import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.system.toml_edit import literal, set_values

ROOT = Path(__file__).parents[3]
URI = "mqtt://joe@broker.local/edge-digits"


def changed(text: str, **values: str | list[str]) -> str:
    result = set_values(text, values)
    assert tomllib.loads(result) == tomllib.loads(text) | values
    return result


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'web = "new"\n'),
        ("web = ''", 'web = "new"'),
        ('web = ""\n', 'web = "new"\n'),
        ('  "web"   =\t"old"   # the page\nother = 1\n', '  "web"   =\t"new"   # the page\nother = 1\n'),
        ('web = "a # b"# c # d\r\nx = 1\r\n', 'web = "new"# c # d\r\nx = 1\r\n'),
        ("web = '''\n[vision]\nweb = 3\n''' # long\n", 'web = "new" # long\n'),
        ('x = """\nweb = "no"\n[a]\n"""\nweb = "old"\n', 'x = """\nweb = "no"\n[a]\n"""\nweb = "new"\n'),
        ("x = [\n  [1], # web = 1\n]\nweb = ''\n", 'x = [\n  [1], # web = 1\n]\nweb = "new"\n'),
        ("# head\n\n# about a\n[a]\nweb = 1\n", '# head\n\nweb = "new"\n# about a\n[a]\nweb = 1\n'),
        ("# head\n[a]\nweb = 1\n", 'web = "new"\n# head\n[a]\nweb = 1\n'),
        ("x = 1\n\n[a]\nweb = 1", 'x = 1\nweb = "new"\n\n[a]\nweb = 1'),
        ("x = 1", 'x = 1\nweb = "new"\n'),
        ("# only a comment", '# only a comment\nweb = "new"\n'),
        ("x = 1\r\n# end\r\n", 'x = 1\r\nweb = "new"\r\n# end\r\n'),
        ("x = '\u2028#'\nweb = ''\n", "x = '\u2028#'\nweb = \"new\"\n"),
        ("[[a]]\nb = 1\n[[a]]\nb = 2\n", 'web = "new"\n[[a]]\nb = 1\n[[a]]\nb = 2\n'),
        ("  [a]\n  b = 1\n", 'web = "new"\n  [a]\n  b = 1\n'),
    ],
)
def test_a_text_is_changed_in_its_place(before: str, after: str) -> None:
    assert changed(before, web="new") == after
    assert changed(after, web="new") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('publish = ["a"] # where\n', f'publish = ["a", "{URI}"] # where\n'),
        ("publish = 'a'\n", f'publish = ["a", "{URI}"]\n'),
        (
            'publish = [\n  # one\n  "a",  # the journal\n  # two\n] # end\n',
            f'publish = [\n  # one\n  "a",  # the journal\n  # two\n  "{URI}",\n] # end\n',
        ),
        ('publish = [\n  "a"  # no comma\n]\n', f'publish = [\n  "a",  # no comma\n  "{URI}",\n]\n'),
        ('publish = [\r\n\t"a",\r\n]\r\n', f'publish = [\r\n\t"a",\r\n\t"{URI}",\r\n]\r\n'),
        ('publish = ["a",\n  "a"]\n', f'publish = ["a", "{URI}"]\n'),
    ],
)
def test_a_list_gets_one_more(before: str, after: str) -> None:
    assert changed(before, publish=["a", URI]) == after


def test_an_element_of_a_list_is_replaced_or_removed_and_the_others_keep_their_comments() -> None:
    before = f'publish = [\n  "a", # one\n  "mqtt://old", # two\n  "{URI}", # three\n]\n'
    assert changed(before, publish=["a", "mqtt://new", URI]) == before.replace("old", "new")
    assert changed(before, publish=["a", URI]) == before.replace('  "mqtt://old", # two\n', "")
    assert changed(before, publish=[URI, "a"]) == f'publish = ["{URI}", "a"]\n', "another order is written anew"


def test_several_are_changed_at_once_in_the_services_own_file() -> None:
    before = (ROOT / "systemd" / "edge.toml").read_text("utf-8")
    after = changed(before, publish=["jsonl:-?what=events", URI], web="0.0.0.0:8080", source="v4l2:/dev/video0")
    lines = list(zip(before.splitlines(), after.splitlines(), strict=True))
    assert [new for old, new in lines if old != new] == [
        'source = "v4l2:/dev/video0"',
        f'publish = ["jsonl:-?what=events", "{URI}"]',
        'web = "0.0.0.0:8080"',
    ]


def test_what_is_as_wanted_stays_byte_for_byte() -> None:
    text = "web = 'new'\r\npublish = [ 'a' ,\n]"
    assert set_values(text, {"web": "new", "publish": ["a"]}) == text


@pytest.mark.parametrize(
    "text",
    ["web = ", "web", "[a", "\ufeffweb = ''\n", "web = ''\nweb = ''\n", "web = ''\rx = 1", f"x = {'[' * 10_000}"],
)
def test_a_file_that_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not valid TOML"):
        set_values(text, {"web": "new"})


@pytest.mark.parametrize("text", ["web.address = ''\n", "[web]\n", "[[web]]\n", "[web.inner]\nx = 1\n"])
def test_what_cannot_be_changed_with_certainty_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="change it by hand"):
        set_values(text, {"web": "new"})


@given(st.text())
def test_every_text_can_be_a_value(text: str) -> None:
    if text.isascii() or text.encode("utf-8", "ignore").decode() == text:
        assert tomllib.loads(f"x = {literal(text)}") == {"x": text}


SPACE = st.text(" \t", max_size=2)
COMMENT = st.builds(lambda text: f"#~{text}", st.text(string.printable[:95], max_size=8)) | st.just("")
TEXT = st.text("ab#=[]\"' ,\n", max_size=6)
LISTS = st.lists(TEXT, max_size=3)
VALUE = (
    st.builds(literal, TEXT)
    | st.builds(literal, LISTS)
    | st.builds(lambda items: "[" + "".join(f"\n {literal(i)}, # {literal(i)[:2]}" for i in items) + "\n]", LISTS)
    | st.builds(lambda text: f'"""\n{text}\n"""', st.text("ab#=[]' ,\n", max_size=8))
    | st.sampled_from(["1", "true", "1979-05-27", "{ web = 'inner', x = [1] }", "'''\n[web]\nweb = 1\n'''"])
)
NAMES = ("source", "web", "publish", "x", "y")


@st.composite
def files(draw: st.DrawFn) -> str:
    """A TOML file: settings in any order, comments, tables that have settings of the same names."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines = []
    for table in ("", *draw(st.lists(st.sampled_from(["[t]", "[t.u]", "[[v]]", " [ w ] # [a]"]), unique=True))):
        lines += [table] if table else []
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
            lines += draw(st.lists(COMMENT, max_size=2))
            gap = draw(SPACE)
            lines += [f"{gap}{name}{draw(SPACE)}={draw(SPACE)}{draw(VALUE)}{draw(SPACE)}{draw(COMMENT)}"]
    text = "\n".join([*lines, *draw(st.lists(COMMENT, max_size=2))]) + draw(st.sampled_from(["", "\n"]))
    return text.replace("\n", newline)


@given(files(), TEXT, st.lists(TEXT, max_size=3))
def test_any_file_keeps_all_but_what_is_changed(text: str, web: str, publish: list[str]) -> None:
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    result = set_values(text, {"web": web, "publish": publish})
    assert tomllib.loads(result) == before | {"web": web, "publish": publish}
    # Every comment outside what was changed is still there, and so is every table.
    for line in text.split("\n"):
        if line.lstrip().startswith(("#~", "[t", "[[v", "[ w")):
            assert line.rstrip("\r") in result
