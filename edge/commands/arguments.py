"""Shared by the commands: the argument parser, a flag for each setting, and what a command makes of its settings."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import platform
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edge.errors import ModelError, StateError
from edge.settings import Settings, all_settings, load_settings
from edge.uri import did_you_mean, public

if TYPE_CHECKING:
    from edge.model.classifier import Model
    from edge.reading.reader import Reader

log = logging.getLogger(__name__)


class Parser(argparse.ArgumentParser):
    """An argparse parser with errors of one line, which declares its arguments only when it is used."""

    declare_arguments: Callable[[], None] | None = None
    """Called once, before the parser is used. To declare the flags of all commands at once would take 20 ms."""

    def parse_known_args(self, *given: Any) -> Any:  # type: ignore[override]
        """As argparse does, after it declared the arguments."""
        if self.declare_arguments:
            declare, self.declare_arguments = self.declare_arguments, None
            declare()
        return super().parse_known_args(*given)

    def error(self, message: str) -> NoReturn:
        """Print the message on one line, and exit with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def refuse(self, unknown: str) -> NoReturn:
        """Print one line that names the unknown argument and the most similar flag, and exit with status 2."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        self.error(f"unrecognized argument: {public(unknown)}{did_you_mean(unknown.partition('=')[0], flags)}")


def add_settings(
    parser: Parser, *, without: tuple[str, ...] = (), only: tuple[str, ...] = (), source: str = ""
) -> None:
    """Add a flag for each setting, named as in the TOML file: for all but ``without``, or for ``only`` these.

    ``source`` is the command's own default of the setting ``source``, which the help names.
    """
    order = "a flag beats the environment (EDGE_VISION__MEDIAN=5), which beats the TOML file"
    group = parser.add_argument_group("settings", order)
    group.add_argument("--config", metavar="FILE", help="read settings from this TOML file")
    for setting in all_settings():
        if setting.name in without or (only and setting.name not in only):
            continue
        options: dict[str, Any] = {
            "metavar": setting.name.rpartition(".")[2].upper(),
            "default": argparse.SUPPRESS,
        }
        if setting.name == "publish":
            options |= {"nargs": "+", "action": "extend", "metavar": "URI"}
        default = " ".join(setting.default) if isinstance(setting.default, tuple) else setting.default
        default = source if source and setting.name == "source" else default
        shown = "empty" if default == "" else str(default).lower() if isinstance(default, bool) else default
        text = f"{setting.description} (default {shown})".replace("%", "%%")
        group.add_argument(f"--{setting.name}", dest=f"set:{setting.name}", help=text, **options)
        if "_" in setting.name:
            # As other programs have it: --web-cert.
            dashed = setting.name.replace("_", "-")
            group.add_argument(f"--{dashed}", dest=f"set:{setting.name}", help=argparse.SUPPRESS, **options)


def positive(text: str) -> int:
    """The argparse type of a whole number above 0."""
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def picture_file(text: str) -> Path:
    """The argparse type of a file that a picture is drawn into, in the format of its ending."""
    from edge.images import WRITTEN
    from edge.system.files import expanded

    path = expanded(text)
    if path.suffix.lower() not in WRITTEN:
        endings = ", ".join(sorted(WRITTEN))
        raise argparse.ArgumentTypeError(f"{text!r} has no ending of a picture; name a file that ends in {endings}")
    return path


def flags_of(arguments: argparse.Namespace) -> dict[str, str]:
    """The settings given as flags: dotted name -> text."""
    return {name.removeprefix("set:"): value for name, value in vars(arguments).items() if name.startswith("set:")}


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings of a command: its flags, environment and TOML file. Raises SettingsError."""
    return load_settings(arguments.config, flags_of(arguments))


def device_of(settings: Settings) -> str:
    """The name of this device in events and MQTT topics."""
    return settings.device or platform.node().partition(".")[0] or "edge-digits"


def state_folder_of(settings: Settings) -> Path:
    """The path of the state folder, which need not exist. Raises StateError if a file has that name."""
    from edge.system.state_folder import locate

    path = locate(settings.state)
    # Not Path.is_file, which raises PermissionError for a folder that this user may not read.
    if file := next((one for one in (path, *path.parents) if os.path.isfile(one)), None):  # noqa: PTH113
        raise StateError(f"{file}: is a file, but the state folder must be a folder; name another one with --state")
    return path


def model_of(settings: Settings, *, threads: int | None = None) -> Model:
    """The model of these settings; one that is not the packaged one is tried first. Raises ModelError.

    Only what harms is refused, such as a model that never ends; it may read badly. ``threads``: other than in the
    settings, as in ``Model``.
    """
    from edge.model.classifier import Model, content_of, packaged_model

    threads = settings.threads or 1 if threads is None else threads
    if not settings.model:
        return Model(threads=threads)
    path = Path(settings.model)
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(path.stat().st_mode):
            # A pipe could be waited for.
            raise ModelError(f"{path}: is not a file; name a .tflite file")
    content = content_of(path)
    if content != packaged_model().read_bytes():
        from edge.model.trial import try_model

        tried = try_model(content, settings.model, threads=threads or 1, weak=True)
        model = Model(path, threads=threads, content=content)
        if tried.weakness and not model.has_card:
            # It may be good, and only be fed wrongly.
            log.warning("%s", tried.weakness)
        return model
    return Model(path, threads=threads, content=content)


def reader_of(settings: Settings) -> Reader:
    """A reader with these settings, for a command that reads files. Raises ModelError."""
    from edge.reading.reader import Reader
    from edge.system.process import after_imports

    after_imports()
    model = model_of(settings)
    return Reader(model, vision=settings.vision, min_confidence=settings.min_confidence)
