"""``edge run --check``: whether it would run, without opening a camera and without writing anything."""

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
    """Print a line for each thing that ``edge run`` would begin with; the exit status is 1 where one is wrong."""
    print(f"{'settings':9}{config or 'defaults, flags and environment'}")
    failed = 0

    def said(what: str, look: Callable[[], object]) -> object:
        nonlocal failed
        try:
            return look()
        except EdgeError as error:
            print(f"edge: {what}: {error}", file=sys.stderr)
            failed += 1
            return None

    for what, look in checks(settings):
        if line := said(what, look):
            print(f"{what:9}{line}", flush=True)
    # Of these only what is wrong is worth a line.
    said("publish", partial(publishers.no_twins, settings.publish))
    said("state", partial(state_folder_of, settings))
    return 1 if failed else 0


def checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is looked at, and what looks: it gives a line that says what is there, or raises EdgeError."""
    yield "source", partial(_source, settings.source)
    for publisher in settings.publish:
        yield "publish", partial(_publisher, publisher)
    if (saved := SavedVision(settings.state, settings.vision)).is_saved():
        yield "vision", partial(_vision, saved)
    if settings.metrics:
        yield "metrics", partial(_metrics, settings.metrics)
    if settings.web:
        yield "web", partial(_web, settings.web)
    yield "model", partial(_model, settings)


def _source(text: str) -> str:
    # A camera is not touched before its first frame is asked for; files have to be there.
    with sources.open_source(text):
        return uri.public(text)


def _publisher(text: str) -> str:
    # Not opened: a file that root makes while checking is one that the service may not write.
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


def _web(text: str) -> str:
    split_address(text, "web")
    return f"http://{text}/"


def _model(settings: Settings) -> str:
    if not settings.model:
        with Model(threads=settings.threads or 1) as model:
            return f"{model.path} ({model.name})"
    # As edge run does, not in this process: a damaged file may crash it.
    passed = try_model(content_of(Path(settings.model)), settings.model, threads=settings.threads or 1)
    return f"{settings.model} ({passed.name})"
