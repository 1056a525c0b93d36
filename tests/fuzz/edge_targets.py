"""Targets of what runs on the Pi: model cards, pictures that are sent, the settings file, commands from a broker."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edge import publishers, sources, uri
from edge.controls import Controls, Program
from edge.model.card import MEMBER, read_card
from edge.model.classifier import Model
from edge.model.runtime import STAND_IN
from edge.mqtt import address
from edge.publishers.mqtt import Mqtt
from edge.settings import load_settings
from edge.web import upload
from edge.web.decode_cost import decode_cost
from tests.fuzz.archives import zipped

_FOLDER = tempfile.TemporaryDirectory()
_TOML = Path(_FOLDER.name) / "edge.toml"
_CHANNEL = Mqtt("//localhost", Program(device="desk", controls=Controls()))
_COMMANDS = ("set/read", "set/pause", "set/threshold", "availability", "")


def card(data: bytes) -> None:
    """A .tflite with its archive; JSON, which an archive's checksum would hide from a fuzzer, gets its archive here."""
    found = read_card(zipped({MEMBER: data}) if data.lstrip()[:1] in (b"{", b"[") else data, "model.tflite")
    if found:
        assert len(found.digits) == len(found.labels)


def picture(data: bytes) -> None:
    """A picture that is sent to the page. What it costs must not be more than what its head says."""
    grey = upload.decode(data, "picture")
    cost = decode_cost(data, "picture")
    assert sorted(grey.shape) == sorted((cost.height, cost.width)), (grey.shape, cost)
    assert grey.nbytes <= cost.decoded_bytes, (grey.shape, cost)


def settings(data: bytes) -> None:
    """A settings file, and the addresses and URIs in it as they are read before anything is opened."""
    _TOML.write_bytes(data)
    found = load_settings(_TOML)
    for setting, text in (("metrics", found.metrics), ("web", found.web)):
        if text:
            uri.split_address(text, setting)
    if "://" not in found.source:
        uri.find_class(uri.split(found.source), sources.SCHEMES, "source")
    for text in found.publish:
        publishers.public(text)
        publishers.is_channel_uri(text)
        parts = uri.split(text)
        if parts.scheme == "mqtt":
            address.parse(parts.what)


def command(data: bytes) -> None:
    """What a broker sends: the first byte chooses the topic and whether the message is retained."""
    choice = data[0] if data else 0
    topic = f"edge-digits/desk/{_COMMANDS[choice % len(_COMMANDS)]}"
    _CHANNEL._on_message(topic, data[1:], choice >= 128)
    if not 0 <= _CHANNEL._program.controls.threshold <= 1:
        raise AssertionError("a threshold outside 0 to 1")


def stand_in(data: bytes) -> None:
    """A .tflite file, as NumPy runs it where there is no TFLite runtime."""
    Model("model.tflite", runtime=STAND_IN, content=data)
