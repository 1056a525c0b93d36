"""The broker of ``edge setup``: found on this machine, or asked for; tried with its login before it is used."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from edge import publishers, uri
from edge.commands.setup.dialogue import Dialogue
from edge.errors import LoginError, PublishError, SettingsError
from edge.mqtt.address import PREFIX, Address, parse
from edge.mqtt.connection import PROBE_SECONDS, probe
from edge.system.tls import speaks_tls
from edge.uri import is_host

LOCAL = "127.0.0.1:1883"
"""Where a broker on this machine listens. Not localhost: that may be ::1 first, where it need not listen."""
PORT, TLS_PORT = 1883, 8883
"""The usual ports of MQTT (IANA), without and with TLS."""
NO_BROKER = ("none", "no", "off", "-")
"""Answers that mean no broker."""


class Given(NamedTuple):
    """What was given as flags, instead of answers; None where nothing was."""

    broker: str | None = None
    user: str | None = None
    password: str | None = None


class Secret(NamedTuple):
    """Where the password is kept."""

    file: Path
    """The file; it need not exist."""
    by_systemd: bool
    """Whether systemd hands it to the service, so that the publisher URI does not name it."""


class Broker(NamedTuple):
    """A broker that was chosen."""

    uri: str
    """Its publisher URI. The password is in it only if it was there before."""
    address: Address
    """With the password, if there is one."""
    new_password: str | None = None
    """What must be written to the file of the password; None: nothing."""


def choose_broker(
    dialogue: Dialogue, given: Given, current: str, secret: Secret, nearby: Callable[[], str]
) -> Broker | None:
    """The broker to publish to, or None.

    ``current`` is its publisher URI in the settings, ``nearby()`` a broker that was found in the network; both may be
    empty. Raises SettingsError if no questions are asked and the login is refused.
    """
    answer = given.broker
    if answer is None and not current and _listens(LOCAL):
        dialogue.part("broker", "there is one on this machine")
        if broker := _connected(dialogue, f"mqtt://{LOCAL}/{PREFIX}", given, secret, current):
            return broker
    suggestion = nearby() if answer is None and not current else ""
    shown = uri.public(current) if current else suggestion or NO_BROKER[0]
    while True:
        if answer is None:
            chosen = dialogue.ask(
                "MQTT broker, as host or host:port:",
                lambda text: broker_uri(text) if text else current,
                default=suggestion,
                shown=shown,
            )
        else:
            chosen = broker_uri(answer or NO_BROKER[0])
        if not chosen:
            return None
        if broker := _connected(dialogue, chosen, given, secret, current):
            return broker
        answer = None


def mqtt_publisher(publish: Sequence[str]) -> str:
    """The first of these publishers that is a broker; empty if none is."""
    return next((text for text in publish if text.startswith(("mqtt://", "mqtts://"))), "")


def broker_uri(answer: str) -> str:
    """The publisher URI of ``host``, ``host:port`` or such a URI; empty if it means none. SettingsError."""
    if answer.lower() in NO_BROKER:
        return ""
    text = answer
    if "://" not in answer:
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(answer).version == 6:
                text = f"[{answer}]"
        scheme = "mqtts" if re.search(rf":{TLS_PORT}(/|\?|$)", text) else "mqtt"
        text = f"{scheme}://{text}" if "/" in text else f"{scheme}://{text}/{PREFIX}"
    if not text.startswith(("mqtt://", "mqtts://")):
        raise SettingsError("a broker is written as host, host:port, mqtt://host or mqtts://host")
    address = address_of(text)
    if not is_host(address.host):
        raise SettingsError(f"{address.host!r} cannot be the name of a computer")
    return text


def address_of(text: str) -> Address:
    """The address in a broker's publisher URI. Raises SettingsError."""
    parts = uri.split(text)
    _, options = uri.find_class(parts, publishers.SCHEMES, "publisher")
    options.pop("home_assistant", None)
    return parse(parts.what, secure=parts.scheme == "mqtts", **options)


def _connected(dialogue: Dialogue, text: str, given: Given, secret: Secret, current: str) -> Broker | None:
    """Try the broker of a publisher URI, and ask for a login if it wants one. None if another one is to be named."""
    address, password = address_of(text), None
    if text != current and address.password:
        # It was typed; it is kept in its own file.
        password = address.password
    if given.user is not None and (given.password is not None or given.user != address.user):
        password = _given_password(dialogue, given)
        address = replace(address, user=given.user, password=password, password_file="")
    elif address.user and not address.password and not address.password_file:
        address = replace(address, password=_kept_password(secret.file))
    may_ask = not dialogue.defaults and given.user is None
    while True:
        try:
            said = probe(address)
            break
        except LoginError as error:
            if not may_ask:
                raise SettingsError(f"{error}; nothing was changed") from error
            who = f"refuses user {address.user!r} or the password" if address.user else "wants a user"
            dialogue.part("broker", f"{_place(address)} {who}")
            user = dialogue.ask("Its user (- to name another broker):", _user, default=address.user)
            if not user:
                return None
            password = dialogue.secret(f"Password of {user}:")
            address = replace(address, user=user, password=password, password_file="")
        except PublishError as error:
            if not address.secure and speaks_tls(address.host, address.port, PROBE_SECONDS):
                address = replace(address, secure=True)
                continue
            dialogue.part("broker", str(error))
            said = "it does not answer now; events wait until it does"
            if dialogue.defaults or dialogue.yes("Use it all the same?", default=False):
                break
            return None
    dialogue.part("broker", f"{_place(address)} ({said})")
    if password is None and address.secure == address_of(text).secure:
        return Broker(text, address)
    return Broker(_written(address, text, secret), address, password)


def _written(address: Address, before: str, secret: Secret) -> str:
    """The publisher URI of this address, with the other options of the one before."""
    options = uri.split(before).options
    options.pop("password_file", None)
    login = f"{quote(address.user, safe='')}@" if address.user else ""
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = "" if address.port == (TLS_PORT if address.secure else PORT) else f":{address.port}"
    if address.user and not secret.by_systemd:
        options["password_file"] = str(secret.file)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    scheme = "mqtts" if address.secure else "mqtt"
    return f"{scheme}://{login}{host}{port}/{address.prefix}{'?' if query else ''}{query}"


def _user(answer: str) -> str:
    if not answer.isprintable():
        raise SettingsError("that cannot be the name of a user")
    return "" if answer == "-" else answer


def _given_password(dialogue: Dialogue, given: Given) -> str:
    """The password of the user in the flags. Raises SettingsError if none is there and nothing may be asked."""
    if given.password is not None:
        return given.password
    if dialogue.defaults:
        raise SettingsError(
            f"--user {given.user}: its password is missing; name a file with it by --password-file; nothing was changed"
        )
    return dialogue.secret(f"Password of {given.user}:")


def _kept_password(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeError):
        return ""


def _place(address: Address) -> str:
    return address.name.removeprefix("mqtt://").removesuffix(f"/{address.prefix}")


def _listens(place: str) -> bool:
    host, _, port = place.partition(":")
    try:
        socket.create_connection((host, int(port)), PROBE_SECONDS).close()
    except OSError:
        return False
    return True
