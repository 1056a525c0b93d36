"""What is kept of the results of the process that read a model."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from convert import results
from convert.micro.facts import Facts
from edge.errors import ConvertError
from edge.model.card import Card, packed

MODEL = b"....TFL3" + bytes(92)
FACTS = Facts(
    model_bytes=100, input_shape=(1, 28, 28, 1), input_scale=1 / 255, input_zero=-128, output_scale=0.1, output_zero=3,
    classes=10, operators=("CONV_2D", "SOFTMAX"), arena_bytes=5000,
)  # fmt: skip


def test_a_report_is_kept_up_to_its_limit() -> None:
    fits = b"{}".ljust(results.MAX_REPORT_BYTES)
    results.check_report("report.json", fits)
    with pytest.raises(ConvertError, match=r"^report\.json: is not what edge-convert writes"):
        results.check_report("report.json", fits + b" ")


def test_every_element_of_the_page_is_known() -> None:
    page = results.HEAD + "".join(f"<{name}>x &lt;script&gt;</{name}>" for name in results.ELEMENTS.split())
    results.check_report("report.html", page.encode())
    for more in ("<script>", "</script\n>", "<a href=x>", "<svgx>", "<g:script>", "<!--", "<?xml?>", "< p"):
        with pytest.raises(ConvertError):
            results.check_report("report.html", f"{page}{more}".encode())


def facts(**changes: Any) -> bytes:
    return json.dumps(asdict(FACTS) | changes).encode()


def test_the_facts_of_a_file_for_microcontrollers_are_kept() -> None:
    card, found = results.checked_facts("facts.json", facts(), packed(MODEL, Card(name="m")))
    assert (card.name, found) == ("m", FACTS)


@pytest.mark.parametrize(
    "changes",
    [{"model_bytes": 99}, {"model_bytes": 10**9}, {"model_bytes": True}, {"model_bytes": -1}, {"input_shape": [1, 28]},
     {"input_shape": [1, 28, 28, "1;"]}, {"input_shape": [1, 28.0, 28, 1]}, {"input_shape": 1}, {"input_scale": 0.0},
     {"input_scale": float("nan")}, {"input_scale": "0.1; int x"}, {"output_scale": 1e30}, {"output_scale": 1},
     {"input_zero": 128}, {"output_zero": -129}, {"output_zero": "0"}, {"classes": 11}, {"classes": "10"},
     {"operators": []}, {"operators": ["CONV_2D", "CONV_2D"]}, {"operators": ["Conv2D(); system("]},
     {"operators": [["CONV_2D"]]}, {"operators": "CONV_2D"}, {"arena_bytes": 0}, {"arena_bytes": 2**31},
     {"arena_bytes": 1e3}, {"more": 1}],
)  # fmt: skip
def test_facts_that_could_put_text_into_a_program_are_not_kept(changes: dict[str, Any]) -> None:
    with pytest.raises(ConvertError, match=r"^facts\.json: is not what edge-convert writes"):
        results.checked_facts("facts.json", facts(**changes), packed(MODEL, Card()))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 10**5, b"\xff", b"1", b"null"])
def test_what_is_no_facts_is_not_kept(content: bytes) -> None:
    with pytest.raises(ConvertError):
        results.checked_facts("facts.json", content, packed(MODEL, Card()))
    with pytest.raises(ConvertError):
        results.checked_facts("facts.json", facts(), MODEL)
