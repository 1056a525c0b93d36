"""The steps of ``edge setup``, in order."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge import publishers, uri
from edge.commands.arguments import device_of
from edge.commands.check import check_run
from edge.commands.doctor.machine import Machine, here
from edge.commands.setup import broker, first_event
from edge.commands.setup.broker import Broker, Given, Secret
from edge.commands.setup.cameras import choose_source
from edge.commands.setup.changes import Changes, content_of
from edge.commands.setup.dialogue import Dialogue
from edge.commands.setup.nearby import NearbySearch
from edge.commands.setup.page import choose_page, page_links
from edge.commands.setup.service import Service
from edge.errors import SettingsError, StateError
from edge.mqtt.address import check_device
from edge.settings import Settings, load_settings
from edge.system import command
from edge.system.files import expanded
from edge.system.state_folder import SERVICE_FOLDER
from edge.system.toml_edit import Value, literal, set_values

COMMAND_SECONDS = 120.0
"""Time limit of a command. Chosen: a start of the service may take 90 s (its TimeoutStartSec)."""
HEAD = "# Settings of edge-digits, made by `edge setup`. `edge run --help` lists all that there are.\n"
"""How a new settings file begins."""
ASKED = ("source", "publish", "web", "device")
"""The settings that are set here."""


class Place(NamedTuple):
    """Where the settings go."""

    config: Path
    service: Service | None
    """The service that reads this file; None if it is the user's own."""
    secret: Secret
    drop_in: Path | None
    """The part of the unit that has to be written with a password; None if none is needed."""


def set_up(arguments: argparse.Namespace) -> int:
    """Ask, write, check and start; returns the exit status. Raises EdgeError, and then nothing was changed."""
    machine = replace(here(Settings()), run=partial(command.run, seconds=COMMAND_SECONDS))
    return SetUp(machine, Dialogue(defaults=arguments.yes), arguments).run()


def place_of(machine: Machine, config: str | None) -> Place:
    """Where the settings go: for root to those of the service if that is installed, otherwise to ``config``, or to a
    file in the user's own folder (XDG Base Directory Specification 0.8). Raises SettingsError if only root may do it.
    """
    service = Service(machine)
    if service.installed and config in (None, service.config):
        if machine.user.id:
            raise SettingsError(
                f"the settings of the service belong to root: sudo {service.program} setup; "
                "for settings of your own: edge setup --config FILE"
            )
        secret, drop_in = service.password_file()
        return Place(machine.path(service.config), service, Secret(secret, by_systemd=True), drop_in)
    if config is None:
        folder = os.environ.get("XDG_CONFIG_HOME", "")
        own = Path(folder) if Path(folder).is_absolute() else expanded("~/.config")
        if not own.is_absolute():
            raise SettingsError("this user has no home folder; name a settings file with --config")
        config = str(own / "edge-digits/edge.toml")
    path = expanded(config).absolute()
    return Place(path, None, Secret(path.with_name("mqtt-password"), by_systemd=False), None)


class SetUp:
    """One set-up: the settings before, and what was answered."""

    def __init__(self, machine: Machine, dialogue: Dialogue, arguments: argparse.Namespace) -> None:
        """Read the settings that are there. Raises SettingsError or StateError."""
        self._dialogue, self._arguments = dialogue, arguments
        self._place = place_of(machine, arguments.config)
        config = self._place.config
        content = content_of(config)
        try:
            self._text = (HEAD.encode() if content is None else content).decode()
        except UnicodeDecodeError as error:
            raise SettingsError(f"{config}: is not UTF-8; nothing was changed") from error
        self._settings = Settings() if content is None else load_settings(config)
        self._machine = replace(machine, settings=self._settings, config="" if content is None else str(config))
        self._given = Given(arguments.broker, arguments.user, _password(arguments.password_file))
        check_device(arguments.device or device_of(self._settings), "device")
        self._written = False

    def run(self) -> int:
        """All steps; returns the exit status. The service is stopped meanwhile, so that its camera is free."""
        service = self._place.service
        try:
            with service.paused() if service else contextlib.nullcontext():
                return self._run()
        except KeyboardInterrupt:
            # The terminal may be gone.
            with contextlib.suppress(OSError):
                what = "the settings are written, but not all was tried" if self._written else "nothing was changed"
                self._dialogue.say(f"\nInterrupted; {what}.")
            raise

    def _run(self) -> int:
        dialogue, settings, service = self._dialogue, self._settings, self._place.service
        current = broker.mqtt_publisher(settings.publish)
        is_asked = not current and self._given.broker is None and not dialogue.defaults
        nearby = NearbySearch(self._machine).result if is_asked else str
        source = choose_source(dialogue, self._machine, self._arguments.source)
        chosen = broker.choose_broker(dialogue, self._given, current, self._place.secret, nearby)
        web = choose_page(dialogue, self._arguments.web, settings.web, "others" if service else "this")
        device = settings.device if self._arguments.device is None else self._arguments.device
        publish = published(settings.publish, current, chosen.uri if chosen else "")
        wanted = replace(settings, source=source, publish=publish, web=web, device=device)
        values: dict[str, Value] = {
            name: getattr(wanted, name) for name in ASKED if getattr(wanted, name) != getattr(settings, name)
        }
        if not self._confirmed(values, chosen):
            dialogue.say("Nothing was changed.")
            return 0
        settings = self._write(values, chosen)
        if service is None:
            run = f"edge run --config {shlex.quote(str(self._place.config))}"
            dialogue.say(f"\nThe settings are written. To start it, here and now: {run}")
            self._show_page(settings)
            return 0
        return self._start(service, settings, chosen)

    def _confirmed(self, values: Mapping[str, Value], chosen: Broker | None) -> bool:
        """Show what will change, and ask whether to do it."""
        dialogue, service = self._dialogue, self._place.service
        if not values and not (chosen and chosen.new_password is not None):
            dialogue.say(f"\nThe settings in {self._place.config} stay as they are.")
            return True
        dialogue.say(f"\nThis changes in {self._place.config}:")
        for name, value in values.items():
            before = getattr(self._settings, name)
            dialogue.say(f"  {name:8} {_shown(before)} -> {_shown(value)}")
        if chosen and chosen.new_password is not None:
            dialogue.say(f"  The password goes to {self._place.secret.file}, which only its owner can read.")
        return dialogue.yes("Write this, and start the service?" if service else "Write this?", default=True)

    def _write(self, values: Mapping[str, Value], chosen: Broker | None) -> Settings:
        """Write all files and check what is in them; returns the new settings. If something fails, nothing changes."""
        config, secret, changes = self._place.config, self._place.secret, Changes()
        try:
            text = set_values(self._text, values)
        except SettingsError as error:
            raise SettingsError(f"{config}: {error}; nothing was changed") from error
        try:
            if chosen and chosen.new_password is not None:
                changes.write(secret.file, f"{chosen.new_password}\n".encode(), secret=True)
            has_password = chosen and chosen.address.user and secret.file.is_file()
            if has_password and self._place.service and self._place.drop_in:
                changes.write(self._place.drop_in, self._place.service.drop_in(secret.file))
            if (before := content_of(config)) is not None and before != text.encode():
                changes.write(config.with_name(f"{config.name}.bak"), before, secret=True)
            changes.write(config, text.encode())
            settings = load_settings(config)
            if check_run(settings, str(config)):
                raise SettingsError(f"{config}: does not pass the check above; nothing was changed")
        except BaseException:
            changes.undo()
            raise
        self._written = True
        return settings

    def _start(self, service: Service, settings: Settings, chosen: Broker | None) -> int:
        """Start the service, and tell what it and the broker say."""
        dialogue, machine = self._dialogue, replace(self._machine, settings=settings)
        if not service.can_run:
            dialogue.say("\nsystemd does not run here. Where it does, this starts it: sudo systemctl enable --now edge")
            return 0
        dialogue.say("\nStarting the service ...")
        began = time.time()
        with first_event.listening(chosen.address if chosen else None, device_of(settings)) as heard:
            if not service.start():
                service.explain(dialogue, began)
                return 1
            well = first_event.wait(dialogue, machine, service, heard, to_broker=chosen is not None)
        self._show_page(replace(settings, state=str(SERVICE_FOLDER / settings.state)))
        dialogue.say(f"Its log: journalctl -fu edge    To change something: sudo {service.program} setup")
        return 0 if well else 1

    def _show_page(self, settings: Settings) -> None:
        """Say where the live page is, with the token if other machines can open it."""
        if not settings.web:
            return
        try:
            links = page_links(settings)
        except StateError as error:
            self._dialogue.say(f"The live page has no token yet: {error}")
            return
        self._dialogue.say("\nThe live page, with the token that lets you change things:")
        for link in links:
            self._dialogue.say(f"  {link}")


def published(before: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """The publishers with the broker ``new`` in the place of ``old``; either may be empty. The others stay."""
    if old:
        return tuple(new if text == old else text for text in before if new or text != old)
    return (*before, new) if new and new not in before else before


def _password(file: str | None) -> str | None:
    """The password in a file that was named. Raises StateError."""
    if file is None:
        return None
    content = content_of(expanded(file))
    if content is None:
        raise StateError(f"{file}: no such file")
    return content.decode("utf-8", "replace").rstrip("\r\n")


def _shown(value: Value) -> str:
    """A value without passwords."""
    if isinstance(value, str):
        return literal(uri.public(value))
    return literal([publishers.public(text) for text in value])
