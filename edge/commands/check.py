"""``edge run --check``: checks the settings, source, publishers and model; opens no camera and writes no file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from edge import publishers, sources, uri
from edge.commands.arguments import state_folder_of
from edge.errors import EdgeError
from edge.model.classifier import Model, content_of
from edge.model.trial import try_model
from edge.running.saved_vision import SavedVision
from edge.settings import Settings
from edge.uri import split_address


def check_run(settings: Settings, config: str | None) -> int:
    """Print a line for each part that ``edge run`` would open. Returns the exit status: 1 if one is wrong."""
    print(f"{'settings':9}{config or 'defaults, flags and environment'}")
    failed = 0

    def result(part: str, check: Callable[[], object]) -> object:
        nonlocal failed
        try:
            return check()
        except EdgeError as error:
            print(f"edge: {part}: {error}", file=sys.stderr)
            failed += 1
            return None

    for part, check in checks(settings):
        if line := result(part, check):
            print(f"{part:9}{line}", flush=True)
    # These print a line only if they fail.
    result("publish", partial(publishers.check_unique, settings.publish))
    result("state", partial(state_folder_of, settings))
    return 1 if failed else 0


def checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    """The name of each part, and its check: a function that returns a line for people or raises EdgeError."""
    yield "source", partial(_source, settings.source)
    for publisher in settings.publish:
        yield "publish", partial(_publisher, publisher)
    if (saved := SavedVision(settings.state, settings.vision)).is_saved():
        yield "vision", partial(_vision, saved)
    if settings.metrics:
        yield "metrics", partial(_metrics, settings.metrics)
    if settings.web:
        yield "web", partial(_web, settings)
    yield "model", partial(_model, settings)


def _source(text: str) -> str:
    # Opening a camera source does not open the device: that happens with the first frame. Files must exist.
    with sources.open_source(text) as source:
        source.check()
        return uri.public(text)


def _publisher(text: str) -> str:
    # A file is not opened: if root created it here, the service could not write it.
    channel = publishers.find_channel(text)
    if not channel:
        return text
    channel.check()
    return channel.name


def _vision(saved: SavedVision) -> str:
    saved.vision()
    return f"{saved.path}, saved on the live page"


def _metrics(text: str) -> str:
    split_address(text, "metrics")
    return f"http://{text}/metrics"


def _web(settings: Settings) -> str:
    split_address(settings.web, "web")
    if not settings.web_cert and not settings.web_key:
        return f"http://{settings.web}/"
    from edge.web.tls import server_context

    server_context(settings.web_cert, settings.web_key)
    return f"https://{settings.web}/"


def _model(settings: Settings) -> str:
    if not settings.model:
        with Model(threads=settings.threads or 1) as model:
            return f"{model.path} ({model.name})"
    # In a process of its own, as edge run does: a damaged file may crash it.
    passed = try_model(content_of(Path(settings.model)), settings.model, threads=settings.threads or 1)
    return f"{settings.model} ({passed.name})"
