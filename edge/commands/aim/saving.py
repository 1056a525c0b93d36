"""Saves the source, with what the camera has set by itself, in the settings file."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from edge import sources, uri
from edge.errors import SettingsError
from edge.settings import load_settings
from edge.system.files import read_small, write_atomically
from edge.system.text import one_line
from edge.system.toml_edit import set_values


def with_settings(source: str, found: Mapping[str, str]) -> str:
    """The URI of a source with more options: those that a camera ``found``.

    Without those that the URI has already, or that contradict one of these. Raises SettingsError if it is wrong.
    """
    sources.open_source(source).close()
    for name, value in found.items():
        given = sources.split(source).options
        more = f"{source}{'&' if given else '?'}{name}={value}"
        # Nothing is opened by this: a wrong URI is refused.
        with contextlib.suppress(SettingsError):
            sources.open_source(more).close()
            source = more
    return source


def save(config: Path, source: str, found: Mapping[str, str]) -> str:
    """Write the source into a settings file, whose comments and other settings stay; returns a line for people.

    ``found``: what the camera has set by itself, ``settings_now``. Raises SettingsError.
    """
    wanted = with_settings(source, found)
    # A link stays one: the file that it leads to is replaced.
    path = config.resolve()
    try:
        before = read_small(path).decode()
        after = set_values(before, {"source": wanted})
        if after == before:
            return f"{config}: has this source already"
        write_atomically(path, after.encode())
    except OSError as error:
        raise SettingsError(f"{config}: cannot be written ({error.strerror}); try it with sudo") from error
    except ValueError as error:
        how = f'write it there yourself: source = "{uri.public(wanted)}"'
        raise SettingsError(f"{config}: cannot be changed by a program ({one_line(error)}); {how}") from error
    return f"{config}: source is now {uri.public(wanted)}"


def offer_to_save(config: Path, source: str, found: Mapping[str, str]) -> None:
    """Ask whether to save, if there is something to save."""
    wanted = with_settings(source, found)
    if wanted == load_settings(config).source:
        return
    try:
        answer = input(f"The view is good. Write source = {uri.public(wanted)} into {config}? [y/N] ")
    except EOFError:
        return
    if answer.strip().lower() in ("y", "yes"):
        print(save(config, source, found))
