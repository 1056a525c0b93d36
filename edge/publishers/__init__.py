"""Publishers send results; ``open_publisher`` opens one by its URI, such as ``jsonl:PATH`` or ``mqtt://HOST``."""

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
"""scheme -> "module:Class", a Publisher or a Channel; the module is imported only when its scheme is used."""


def open_publisher(
    text: str,
    *,
    live: bool = False,
    program: Program | None = None,
    outlet: Callable[[str], Outlet] | None = None,
) -> Publisher:
    """Open the publisher that a URI names; for a ``live`` source, a failed delivery is logged and does not raise.

    A channel gets a courier, which delivers to it what ``outlet(channel name)`` (``Store.outlet``) has pending. The
    channel reports on ``program``. SettingsError: no such scheme or option. PublishError: it cannot be opened.
    """
    parts = _split(text)
    target, options = uri.find_class(parts, SCHEMES, "publisher")
    if is_channel(target):
        if program is None or outlet is None:
            raise SettingsError(f"{parts.text}: works only with edge run")
        from edge.publishers.courier import Courier

        channel: Channel = target(parts.what, program, **options)
        return Courier(channel, outlet(channel.name))
    publisher: Publisher = target(parts.what, **options)
    if live:
        from edge.publishers.best_effort import BestEffort

        return BestEffort(publisher)
    return publisher


def find_channel(text: str) -> Channel | None:
    """The channel that a URI names, not connected; None if it names a file or stdout, which is not opened.

    SettingsError in the same cases as ``open_publisher``.
    """
    parts = _split(text)
    target, options = uri.find_class(parts, SCHEMES, "publisher")
    if not is_channel(target):
        return None
    from edge.controls import Program

    channel: Channel = target(parts.what, Program(device="check"), **options)
    return channel


def check_unique(texts: Sequence[str]) -> None:
    """SettingsError if two URIs name the same place: they would share their progress and each miss some entries.

    A wrong URI is ignored here; opening it gives the error.
    """
    names: set[str] = set()
    for text in texts if len(texts) > 1 else ():
        try:
            channel = find_channel(text)
        except SettingsError:
            continue
        if channel and channel.name in names:
            raise SettingsError(f"{channel.name}: publish names this place twice; remove one of them")
        if channel:
            names.add(channel.name)


def is_channel_uri(text: str) -> bool:
    """Whether a URI names a channel: a far side that may be away, so that it gets its messages from the store."""
    return is_channel(uri.find_class(_split(text), SCHEMES, "publisher")[0])


def public(text: str) -> str:
    """A publisher's URI without secrets; for a webhook, whose path may be one, hardly more than the host."""
    if text.startswith(("http://", "https://")):
        from edge.publishers import webhook

        return webhook.public_name(text.partition("#")[0])
    return uri.public(text)


def is_channel(target: object) -> bool:
    """Whether a class of the table is a Channel."""
    return hasattr(target, "send")


def _split(text: str) -> uri.Uri:
    if text.startswith(("http://", "https://")):
        # The query of a webhook's URL is its own; our options follow the #.
        from edge.publishers import webhook

        return webhook.split(text)
    return uri.split(text)
