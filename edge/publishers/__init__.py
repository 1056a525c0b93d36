"""Where readings go; ``open_publisher`` opens one by its URI: ``jsonl:-`` (stdout), ``jsonl:PATH``, ``mqtt://…``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge import uri
from edge.errors import SettingsError
from edge.publishers.base import Publisher

if TYPE_CHECKING:
    from edge.controls import Program
    from edge.publishers.courier import Channel, Outlet

SCHEMES = {
    "jsonl": "edge.publishers.jsonl:Jsonl",
    "mqtt": "edge.publishers.mqtt:Mqtt",
    "mqtts": "edge.publishers.mqtt:Mqtts",
    "http": "edge.publishers.webhook:Webhook",
    "https": "edge.publishers.webhook:Webhook",
}
"""scheme -> "module:Class", a Publisher or a Channel; the module is imported when its scheme is named."""


def open_publisher(
    text: str,
    *,
    live: bool = False,
    program: Program | None = None,
    outlet: Callable[[str], Outlet] | None = None,
) -> Publisher:
    """Open the publisher that a URI names; that of a ``live`` source goes on where it cannot deliver.

    A channel gets a courier, which takes to it what ``outlet(its name)`` has (``Store.outlet``); it speaks for
    ``program``. SettingsError: no such scheme or option. PublishError: it cannot be opened.
    """
    parts = _split(text)
    target, options = uri.find(parts, SCHEMES, "publisher")
    if is_channel(target):
        if program is None or outlet is None:
            raise SettingsError(f"{parts.text}: is for edge run alone")
        from edge.publishers.courier import Courier

        channel: Channel = target(parts.what, program, **options)
        return Courier(channel, outlet(channel.name))
    publisher: Publisher = target(parts.what, **options)
    if live:
        from edge.publishers.best_effort import BestEffort

        return BestEffort(publisher)
    return publisher


def find_channel(text: str) -> Channel | None:
    """The channel that a URI names, made and not connected; None where it names a file or stdout, which is not opened.

    SettingsError where ``open_publisher`` would give one.
    """
    parts = _split(text)
    target, options = uri.find(parts, SCHEMES, "publisher")
    if not is_channel(target):
        return None
    from edge.controls import Program

    channel: Channel = target(parts.what, Program(device="check"), **options)
    return channel


def no_twins(texts: Sequence[str]) -> None:
    """SettingsError where two URIs name one place: they would share how far it got, and each miss what the other sent.

    A URI that is wrong is left to whoever opens it.
    """
    names: set[str] = set()
    for text in texts if len(texts) > 1 else ():
        try:
            channel = find_channel(text)
        except SettingsError:
            continue
        if channel and channel.name in names:
            raise SettingsError(f"{channel.name}: publish names this place twice; name it once")
        if channel:
            names.add(channel.name)


def is_channel_uri(text: str) -> bool:
    """Whether a URI names a channel: something that may be away, and is sent what the store has."""
    return is_channel(uri.find(_split(text), SCHEMES, "publisher")[0])


def public(text: str) -> str:
    """A publisher's URI as anybody may see it; of a webhook, whose path may be a secret, hardly more than the host."""
    if text.startswith(("http://", "https://")):
        from edge.publishers import webhook

        return webhook.shown(text.partition("#")[0])
    return uri.public(text)


def is_channel(target: object) -> bool:
    """Whether a class of the table is a Channel."""
    return hasattr(target, "send")


def _split(text: str) -> uri.Uri:
    if text.startswith(("http://", "https://")):
        # A webhook's own query is none of our options.
        from edge.publishers import webhook

        return webhook.split(text)
    return uri.split(text)
