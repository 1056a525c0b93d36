from __future__ import annotations

import dataclasses
import io
import json
import tracemalloc
import zipfile
from hashlib import sha256
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.model.card import MEMBER, Card, Normalisation, Rotation, packed, read_card

MODEL = b"\0\0\0\0TFL3" + bytes(range(256)) * 4
"""Something to append a card to."""
CARD = Card(
    name="mnist-1.0",
    paper=255.0,
    ink=0.0,
    output="logits",
    quantisation={"recipe": "int8", "seed": 1},
    evaluation={"accuracy_int8": 0.9961},
    source={"file": "größe.h5"},
)
# None that are subnormal, here and elsewhere: tflite-runtime on 64-bit ARM makes the processor take them for 0.
number = st.floats(-1e9, 1e9, allow_subnormal=False)
printable = st.text(max_size=20).filter(str.isprintable)
cards = st.builds(
    Card,
    name=printable,
    labels=st.lists(printable, min_size=1, max_size=12).map(tuple),
    paper=number,
    ink=number,
    fit=st.sampled_from(["resize", "margin", "crop", "stretch"]),
    transposed=st.booleans(),
    rotation=st.sampled_from(get_args(Rotation)),
    normalisation=st.sampled_from(get_args(Normalisation)),
    output=st.sampled_from(["probabilities", "logits"]),
    temperature=st.floats(0.01, 100),
    quantisation=st.dictionaries(st.text(), st.integers() | st.text()),
)


def with_text(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(MEMBER, text)
    return MODEL + buffer.getvalue()


@given(cards)
def test_a_card_comes_back_as_it_was(card: Card) -> None:
    assert read_card(MODEL + card.archive(), "x.tflite") == card


def test_any_zip_tool_shows_it() -> None:
    with zipfile.ZipFile(io.BytesIO(MODEL + CARD.archive())) as zipped:
        assert zipped.namelist() == ["metadata.json"]
        assert zipped.testzip() is None
        said = json.loads(zipped.read("metadata.json"))
    assert (said["format"], said["name"], said["paper"], said["source"]) == (
        1, "mnist-1.0", 255.0, {"file": "größe.h5"},
    )  # fmt: skip


def test_the_same_card_gives_the_same_bytes() -> None:
    assert CARD.archive() == dataclasses.replace(CARD).archive()


def test_a_model_without_a_card_has_none() -> None:
    assert read_card(MODEL, "x.tflite") is None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("labels.txt", "0\n1\n")
    assert read_card(MODEL + buffer.getvalue(), "x.tflite") is None
    # Other programs write a metadata.json, too.
    assert read_card(with_text('{"author": "somebody", "stride": 32}'), "x.tflite") is None


def test_a_card_with_unknown_and_missing_fields_is_read() -> None:
    assert read_card(with_text('{"format": 1, "paper": 1, "ink": 0, "colour": "red"}'), "x") == Card(paper=1, ink=0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is damaged"),
        ("", "is damaged"),
        ("[]", "is no card of a model"),
        ('{"format": true}', "is no card of a model"),
        ('{"format": "\\u001b[2J"}', "is no card of a model"),
        ("[" * 100_000, "is damaged"),
        ('{"format": 1, "paper": true}', "no valid paper"),
        (f'{{"format": 1, "ink": 1{"0" * 400}}}', "no valid ink"),
        (f'{{"format": 1, "ink": 1{"0" * 5000}}}', "is damaged"),
        ('{"format": 1, "name": "a\\u001b[31m"}', "no valid name"),
        ('{"format": 1, "name": "two\\nlines"}', "no valid name"),
        ('{"format": 1, "name": "\\ud800"}', "no valid name"),
        (f'{{"format": 1, "labels": ["{"1" * 100_000}"]}}', "no valid labels"),
        (json.dumps({"format": 1, "labels": ["0"] * 2000}), "no valid labels"),
        ('{"format": 3}', "format 3, but this version reads only 1 and 2"),
        ('{"format": 2, "rotation": 45}', "no valid rotation"),
        ('{"format": 2, "transposed": 1, "normalisation": "axis 1"}', "no valid transposed, normalisation"),
        ('{"format": 1, "labels": "0123456789"}', "no valid labels"),
        ('{"format": 1, "labels": [], "output": ["logits"]}', "no valid labels, output"),
        ('{"format": 1, "paper": "white", "ink": NaN}', "no valid paper, ink"),
        ('{"format": 1, "name": 7, "source": null}', "no valid name, source"),
    ],
)
def test_a_damaged_card_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint) as refusal:
        read_card(with_text(text), "shelf/x.tflite")
    assert str(refusal.value).startswith("shelf/x.tflite: ")
    assert "\n" not in str(refusal.value)


def test_only_a_single_figure_is_a_digit() -> None:
    assert Card(labels=("7", "10", "٣", "²", "none")).digits == (7, None, None, None, None)


def test_an_archive_made_to_hurt_is_refused_at_once() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(MEMBER, b" " * 50_000_000)
    crowd = io.BytesIO()
    with zipfile.ZipFile(crowd, "w") as zipped:
        for number in range(30_000):
            zipped.writestr(f"{number:05}", b"")
        zipped.writestr(MEMBER, b"{}")
    for archive, complaint in ((bomb, "it has 50,000,000 bytes unpacked"), (crowd, "its metadata.json is damaged")):
        tracemalloc.start()
        with pytest.raises(ModelError, match=complaint):
            read_card(MODEL + archive.getvalue(), "x.tflite")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 2 * len(archive.getvalue()) + 1_000_000


@given(st.data())
def test_bytes_flipped_in_the_archive_never_give_another_card(data: st.DataObject) -> None:
    content = bytearray(MODEL + CARD.archive())
    where = data.draw(st.integers(len(MODEL), len(content) - 1))
    content[where] ^= data.draw(st.integers(1, 255))
    try:
        assert read_card(bytes(content), "x.tflite") in (CARD, None)
    except ModelError as refusal:
        assert "x.tflite" in str(refusal)


def test_an_archive_cut_short_is_no_model_without_a_card() -> None:
    whole = MODEL + CARD.archive()
    name_ends = whole.index(MEMBER.encode()) + len(MEMBER)
    for length in range(name_ends, len(whole)):
        with pytest.raises(ModelError, match="is damaged"):
            read_card(whole[:length], "x.tflite")


def test_a_card_knows_whether_the_model_is_still_the_same() -> None:
    whole = packed(MODEL, CARD)
    card = read_card(whole, "x.tflite")
    assert card and card.model_sha256 == sha256(MODEL).hexdigest()
    assert dataclasses.replace(card, model_sha256="") == CARD
    for place in (0, 100, len(MODEL) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        with pytest.raises(ModelError, match=r"x\.tflite: is damaged or only partly copied"):
            read_card(bytes(damaged), "x.tflite")


def test_what_is_half_copied_over_an_older_file_is_noticed() -> None:
    newer = packed(MODEL, CARD)
    older = packed(bytes(reversed(MODEL)), CARD)
    for size in (1, len(MODEL) // 2, len(MODEL) - 1):
        with pytest.raises(ModelError, match="is damaged or only partly copied"):
            read_card(newer[:size] + older[size:], "x.tflite")


def test_an_older_card_is_read_without_asking() -> None:
    assert read_card(MODEL + CARD.archive(), "x.tflite") == CARD
    with pytest.raises(ModelError, match="no valid model_sha256"):
        read_card(with_text('{"format": 1, "model_sha256": 7}'), "x.tflite")


def test_another_file_in_the_archive_changes_nothing() -> None:
    buffer = io.BytesIO(packed(MODEL, CARD))
    with zipfile.ZipFile(buffer, "a") as zipped:
        zipped.writestr("labels.txt", "0\n1\n")
    assert read_card(buffer.getvalue(), "x.tflite") == read_card(packed(MODEL, CARD), "x.tflite")


@pytest.mark.parametrize(
    "needed",
    [{"fit": "crop"}, {"transposed": True}, {"rotation": 90}, {"normalisation": "rows"}, {"normalisation": "caffe"}],
)
def test_a_card_that_older_versions_would_misunderstand_has_another_format(needed: dict[str, Any]) -> None:
    said = json.loads(zipfile.ZipFile(io.BytesIO(Card(**needed).archive())).read("metadata.json"))
    assert said["format"] == 2 and read_card(Card(**needed).archive(), "x") == Card(**needed)
