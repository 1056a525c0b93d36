"""``edge run --check``: whether it would run, without opening a camera and without writing anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from edge import publishers, sources, uri
from edge.model import Model
from edge.settings import Settings


def checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is looked at, and what looks: it gives a line that says what is there, or raises EdgeError."""
    yield "source", partial(_source, settings.source)
    for publisher in settings.publish:
        yield "publish", partial(_publisher, publisher)
    yield "model", partial(_model, settings)


def _source(text: str) -> str:
    # A camera is not touched before its first frame is asked for; files have to be there.
    with sources.open_source(text):
        return _shown(text)


def _publisher(text: str) -> str:
    # Not opened: a file that root makes while checking is one that the service may not write.
    uri.find(uri.split(text), publishers.SCHEMES, "publisher")
    return _shown(text)


def _shown(text: str) -> str:
    """A URL without name, password and query, which are nobody else's; any other URI as it is."""
    return re.sub(r"//[^/]*@", "//", text).partition("?")[0] if "://" in text else text


def _model(settings: Settings) -> str:
    with Model(settings.model or None, threads=settings.threads) as model:
        return f"{model.path} ({model.name})"
