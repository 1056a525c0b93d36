"""What each command of ``edge`` do: the exit status."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EdgeError, ImageError, SettingsError, StateError
from edge.settings import Settings, load_settings, pinned_vision

if TYPE_CHECKING:
    from edge.reading.reader import Analysis, Reader
    from edge.types import Pixels


BENCH_SOURCE = "synthetic:?digits=6&hold=10"
"""What ``edge bench`` looks at unless it is told: pages that stand still for ten frames, each with noise of its own."""


def _flags(arguments: argparse.Namespace) -> dict[str, str]:
    return {name.removeprefix("set:"): value for name, value in vars(arguments).items() if name.startswith("set:")}


def _settings(arguments: argparse.Namespace) -> Settings:
    return load_settings(arguments.config, _flags(arguments))


def _state_folder(settings: Settings) -> Path:
    """Where the state folder is, or would be; StateError where a file stands in its place."""
    from edge.system.state_folder import place

    path = place(settings.state)
    # Not Path.is_file, which fails where one may not look.
    if file := next((one for one in (path, *path.parents) if os.path.isfile(one)), None):  # noqa: PTH113
        raise StateError(f"{file}: is a file, and what has to be remembered needs a folder; name one with --state")
    return path


def _reader(settings: Settings) -> Reader:
    from edge.model.classifier import Model
    from edge.reading.reader import Reader
    from edge.system.process import settle

    settle()
    model = Model(settings.model or None, threads=settings.threads or 1)
    return Reader(model, vision=settings.vision, min_confidence=settings.min_confidence)


def read_images(arguments: argparse.Namespace) -> int:
    """``edge read``: every image that can be read is, the others are a line on stderr each, and exit 1."""
    from edge.images import load
    from edge.types import Frame

    failed = 0
    with _reader(_settings(arguments)) as reader:
        shown = _album(Path(arguments.show)) if arguments.show else None
        for image in arguments.images:
            try:
                pixels = load(image)
            except ImageError as error:
                print(f"edge: {error}", file=sys.stderr)
                failed += 1
                continue
            sight = reader.look(Frame(pixels, image))
            reading = sight.reading
            if arguments.json:
                print(json.dumps(reading.as_dict(), ensure_ascii=False), flush=True)
            else:
                print(f"{image}: {' / '.join(reading.lines) or f'nothing read ({reading.reason})'}", flush=True)
            if shown:
                shown(image, pixels, sight)
    return 1 if failed else 0


def _album(folder: Path) -> Callable[[str, Pixels, Analysis], None]:
    """Makes the folder, and gives what writes an annotated picture of each image into it."""
    from edge.images import save
    from edge.reading.annotate import annotate

    taken: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"{folder}: cannot be made a folder ({error.strerror}); name another one with --show"
        ) from error

    def show(image: str, pixels: Pixels, sight: Analysis) -> None:
        name, n = Path(image).stem, 1
        while f"{name}.read.png" in taken:
            n += 1
            name = f"{Path(image).stem}-{n}"
        taken.add(f"{name}.read.png")
        save(annotate(pixels, sight), folder / f"{name}.read.png")

    return show


def run_loop(arguments: argparse.Namespace) -> int:
    """``edge run``: the loop, until it is stopped; with ``--check`` only what it would begin with."""
    settings = _settings(arguments)
    if arguments.check:
        return check_run(settings, arguments.config)
    from edge.commands.pipeline import run_source
    from edge.publishers import no_twins

    no_twins(settings.publish)
    return run_source(settings, arguments.frames, pinned=pinned_vision(_flags(arguments)))


def check_model(arguments: argparse.Namespace) -> int:
    """``edge model check``: what ``edge run`` would say of a model that is dropped in; 1 where it is refused."""
    from edge.model.classifier import content_of
    from edge.model.trial import trial

    passed = trial(content_of(Path(arguments.model)), arguments.model)
    print(
        f"{arguments.model}: {passed.name} is fit to read: {passed.runtime} reads"
        f" {passed.right} of {passed.asked} golden digits with it"
    )
    return 0


def roll_back(arguments: argparse.Namespace) -> int:
    """``edge model rollback``: the model before is put back; the running service notices by itself."""
    from edge.model.registry import rollback

    settings = _settings(arguments)
    path, name = rollback(_state_folder(settings), settings.model)
    print(f"{path}: {name} is there again; where edge run reads with this file, it takes it within seconds")
    return 0


def check_run(settings: Settings, config: str | None) -> int:
    """``edge run --check``: a line for each thing that ``edge run`` would begin with; 1 where one is wrong."""
    from edge.commands.check import checks
    from edge.publishers import no_twins

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
    said("publish", partial(no_twins, settings.publish))
    said("state", partial(_state_folder, settings))
    return 1 if failed else 0


def show_token(arguments: argparse.Namespace) -> int:
    """``edge token``: a link with each token in it; what stands after the # is never sent."""
    from edge.system import state_folder
    from edge.web.tokens import FILE, tokens

    settings = _settings(arguments)
    # Tokens that nobody asks for would open nothing.
    state_folder.unmistaken(settings.state, "token --new" if arguments.new else "token", arguments.config)
    folder = state_folder.folder(settings.state)
    if arguments.new:
        (folder / FILE).unlink(missing_ok=True)
    given = tokens(folder)
    host, _, port = (settings.web or "HOST:8080").rpartition(":")
    if host in ("0.0.0.0", "[::]", "127.0.0.1"):
        host = platform.node() if host != "127.0.0.1" else host
    for what, token in (("to look", given.view), ("to change things too", given.change)):
        print(f"{what}: http://{host}:{port}/#token={token}")
    if arguments.new:
        print("edge: restart edge run: until then it knows those before", file=sys.stderr)
    return 0


def export_corrections(arguments: argparse.Namespace) -> int:
    """``edge corrections export``: a data set of what people said on the live page."""
    from edge.corrections.database import FILE, Corrections
    from edge.corrections.export import export
    from edge.system.state_folder import unmistaken

    settings = _settings(arguments)
    unmistaken(settings.state, f"corrections export {shlex.quote(arguments.folder)}", arguments.config)
    with Corrections(_state_folder(settings) / FILE) as corrections:
        many = export(corrections, Path(arguments.folder))
    print(f"{arguments.folder}: {many} glyph{'s' if many > 1 else ''} and labels.csv")
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    """``edge demo``: what was written, what was read, and how long it took; a summary at the end; all in a browser."""
    from edge.commands.demo import demo

    seconds = arguments.seconds or (math.inf if sys.stdout.isatty() else 60.0)
    return demo(_settings(arguments), seed=arguments.seed, seconds=seconds)


def show_history(arguments: argparse.Namespace) -> int:
    """``edge history``: what the store has kept, oldest first, for people, as CSV or as JSON lines."""
    from edge.store.history import csv_line, for_people, read
    from edge.store.store import FILE

    since, until = arguments.since, arguments.until
    if since and until and since >= until:
        raise SettingsError("--until is not after --since: nothing can have happened in that time")
    path = _state_folder(_settings(arguments)) / FILE
    shown = 0
    for text in read(path, since, until, arguments.last):
        if arguments.csv and not shown:
            print(csv_line(None))
        print(text if arguments.json else csv_line(text) if arguments.csv else for_people(text))
        shown += 1
    if not shown:
        print(f"edge: {path}: no event in that time", file=sys.stderr)
    return 0


def run_bench(arguments: argparse.Namespace) -> int:
    """``edge bench``: figures of this machine, as tables or as JSON."""
    from edge.commands.bench import bench, words

    flags = _flags(arguments)
    settings = load_settings(arguments.config, {"source": BENCH_SOURCE, **flags})
    older = words.load(Path(arguments.compare)) if arguments.compare else None
    figures = bench(settings, arguments.frames)
    text = json.dumps(figures, indent=1) if arguments.json else "\n".join(words.lines(figures, older))
    print(text, flush=True)
    return 0


def run_doctor(arguments: argparse.Namespace) -> int:
    """``edge doctor``: each finding as it comes; 1 where one is a failure, be it in the settings themselves."""
    from edge.commands.doctor import examine, report
    from edge.commands.doctor.machine import here

    try:
        machine = here(_settings(arguments), config=arguments.config or "")
    except SettingsError as error:
        machine = here(Settings(), config=arguments.config or "", misread=str(error))
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    findings = []
    for finding in examine(machine):
        findings.append(finding)
        if not arguments.json:
            print(report.lines(finding, colour), flush=True)
    print(
        json.dumps(report.as_dict(findings), ensure_ascii=False) if arguments.json else f"\n{report.summary(findings)}"
    )
    return 1 if any(finding.level == "failure" for finding in findings) else 0


def watch_devices(arguments: argparse.Namespace) -> int:
    """``edge watch``: a table that stands still on a terminal; elsewhere a line for each change."""
    from edge.commands import watch
    from edge.running.systemd import stop_signals

    place = watch.address(arguments.broker)
    live = sys.stdout.isatty() and not arguments.json
    as_text = watch.as_json if arguments.json else watch.as_line
    latest, drawn, said, silent_at = watch.Change({}), 0.0, "", 0.0
    with stop_signals() as stopping:
        try:
            print(watch.ENTER if live else "", end="", flush=True)
            for change in watch.watch(place, stopping.is_set):
                latest, now = change or latest, time.monotonic()
                # It begins with a change: that there is a connection.
                silent_at = silent_at or now + watch.SILENT_SECONDS
                if live and now - drawn > watch.PICTURE_SECONDS:
                    print(watch.picture(place.name, latest, *shutil.get_terminal_size()), end="", flush=True)
                    drawn = now
                elif not live and change and change.device:
                    print(as_text(change.device), flush=True)
                elif not live and change and change.problem not in ("", said):
                    print(f"edge: {change.problem} (trying again until it comes)", file=sys.stderr)
                    said = change.problem
                elif not live and now > silent_at and not latest.devices and not latest.problem:
                    print(
                        f"edge: {place.name}: no device below {place.prefix}/ yet; is it the devices' own prefix?",
                        file=sys.stderr,
                    )
                    silent_at = math.inf
        finally:
            print(watch.LEAVE if live else "", end="", flush=True)
    return 0


def run_tune(arguments: argparse.Namespace) -> int:
    """``edge tune``: the README's table, on any labelled photographs."""
    from edge.reading.evaluation import CHOICES, load_labelled, markdown, tune

    settings = _settings(arguments)
    sets = [load_labelled(Path(labels)) for labels in arguments.labels]

    def tried(n: int) -> None:
        if sys.stderr.isatty():
            print(
                f"\r{n} of {len(CHOICES)} choices",
                end="\n" if n == len(CHOICES) else "",
                file=sys.stderr,
                flush=True,
            )

    with _reader(settings) as reader:
        rows = list(tune(reader.model, settings.vision, settings.min_confidence, sets, tried))
    names = [Path(labels).resolve().parent.name for labels in arguments.labels]
    print(markdown(names, rows))
    return 0
