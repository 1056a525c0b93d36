"""The live page of ``edge setup``: who may open it, and with which link."""

from __future__ import annotations

import contextlib
import socket

from edge.commands.setup.dialogue import Dialogue
from edge.commands.token import page_url
from edge.errors import SettingsError
from edge.settings import Settings
from edge.system import state_folder
from edge.uri import split_address

PORTS = range(8080, 8090)
"""The ports that are tried, the usual one first. Chosen."""
HOSTS = {"others": "0.0.0.0", "this": "127.0.0.1"}
"""An answer -> the address on which the page listens."""


def choose_page(dialogue: Dialogue, given: str | None, current: str, default: str) -> str:
    """The setting ``web``: ``given``, or what is answered. ``default`` is an answer, for when nothing is set yet.

    Raises SettingsError if ``given`` is wrong.
    """
    if given is not None:
        return _address(given, current)
    names = {host: name for name, host in HOSTS.items()}
    shown = names.get(current.rpartition(":")[0], current) or default
    return dialogue.ask(
        "Live page: for others too (with a token), for this machine only, or off (others/this/off):",
        lambda answer: current if answer == shown and current else _address(answer, current),
        default=shown,
    )


def page_links(settings: Settings) -> list[str]:
    """Links to the page with the token in them, by this machine's name and by its IP address. Raises StateError.

    A page that only this machine can open has one.
    """
    from edge.web.tokens import load_tokens

    token = load_tokens(state_folder.create(settings.state)).change
    links = [page_url(settings)]
    if settings.web.startswith(HOSTS["others"]) and (number := _own_address()):
        links.append(f"{links[0].partition('://')[0]}://{number}:{settings.web.rpartition(':')[2]}/")
    return [f"{link}#token={token}" for link in links]


def _address(answer: str, current: str) -> str:
    """The address that an answer means. Raises SettingsError."""
    if answer == "off":
        return ""
    if host := HOSTS.get(answer):
        return f"{host}:{current.rpartition(':')[2] or _free_port(host)}"
    try:
        split_address(answer, "web")
    except SettingsError as error:
        raise SettingsError("answer others, this, off, or an address such as 0.0.0.0:8080") from error
    return answer


def _free_port(host: str) -> int:
    """The first of PORTS that no other program listens on."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return port
    return PORTS[0]


def _own_address() -> str:
    """The address of this machine in its network; empty if it is in none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Nothing is sent: this only asks the kernel which address it would use. TEST-NET-1 of RFC 5737.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""
