"""What several commands have in common: their argument parser, the flags of settings, and what is made of these."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edge.errors import StateError
from edge.settings import Settings, leaves, load_settings
from edge.uri import nearest, public

if TYPE_CHECKING:
    from edge.reading.reader import Reader


class Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is one line, and arguments are declared when they are needed."""

    later: Callable[[], None] | None = None
    """Declares this parser's arguments; called once, before it parses. All flags of all commands take 20 ms to make."""

    def parse_known_args(self, *given: Any) -> Any:  # type: ignore[override]
        """As argparse does, with the arguments declared first."""
        if self.later:
            later, self.later = self.later, None
            later()
        return super().parse_known_args(*given)

    def error(self, message: str) -> NoReturn:
        """Exit 2 with that line."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def refuse(self, unknown: str) -> NoReturn:
        """Exit 2 with a line that names the nearest flag."""
        flags = [flag for action in self._actions for flag in action.option_strings]
        self.error(f"unrecognized argument: {public(unknown)}{nearest(unknown.partition('=')[0], flags)}")


def add_settings(parser: Parser, *, without: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> None:
    """A flag for each setting, named as in the TOML file; ``only``: for these alone; ``without``: not for these."""
    group = parser.add_argument_group("settings", "a flag beats EDGE_… in the environment, which beats the TOML file")
    group.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    for leaf in leaves():
        if leaf.name in without or (only and leaf.name not in only):
            continue
        options: dict[str, Any] = {
            "metavar": leaf.name.rpartition(".")[2].upper(),
            "default": argparse.SUPPRESS,
        }
        if leaf.name == "publish":
            options |= {"nargs": "+", "action": "extend", "metavar": "URI"}
        default = " ".join(leaf.default) if isinstance(leaf.default, tuple) else leaf.default
        said = f"{leaf.description} (default {str(default).lower() if isinstance(default, bool) else default or '-'})"
        group.add_argument(f"--{leaf.name}", dest=f"set:{leaf.name}", help=said.replace("%", "%%"), **options)


def positive(text: str) -> int:
    """The type of an argument that is a whole number above 0."""
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def flags_of(arguments: argparse.Namespace) -> dict[str, str]:
    """The settings that were given as flags: dotted name -> text."""
    return {name.removeprefix("set:"): value for name, value in vars(arguments).items() if name.startswith("set:")}


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that a command runs with. Raises SettingsError."""
    return load_settings(arguments.config, flags_of(arguments))


def state_folder_of(settings: Settings) -> Path:
    """Where the state folder is, or would be. Raises StateError where a file is in its place."""
    from edge.system.state_folder import place

    path = place(settings.state)
    # Not Path.is_file, which fails where one may not look.
    if file := next((one for one in (path, *path.parents) if os.path.isfile(one)), None):  # noqa: PTH113
        raise StateError(f"{file}: is a file, and what has to be remembered needs a folder; name one with --state")
    return path


def reader_of(settings: Settings) -> Reader:
    """A reader with these settings, for a command that only reads. Raises ModelError."""
    from edge.model.classifier import Model
    from edge.reading.reader import Reader
    from edge.system.process import settle

    settle()
    model = Model(settings.model or None, threads=settings.threads or 1)
    return Reader(model, vision=settings.vision, min_confidence=settings.min_confidence)
