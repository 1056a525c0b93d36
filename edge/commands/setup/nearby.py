"""Looks for a broker in the local network, while the user waits for something else anyway."""

from __future__ import annotations

import re
import socket
import threading

from edge.commands.doctor.machine import Machine

AVAHI = "/run/avahi-daemon/socket"
"""Where the mDNS daemon listens; without it no ``.local`` name is known."""
HOME_ASSISTANT = "homeassistant.local"
"""The usual name of a Home Assistant, whose Mosquitto add-on listens on the usual port but does not announce it."""
PORT = 1883
"""The usual port of MQTT (IANA)."""
CONNECT_SECONDS, WAIT_SECONDS = 1.0, 6.0
"""Time for a connection; and for the whole search, once its result is asked for: avahi gives up a name after 5 s."""


class NearbySearch:
    """The search, in a thread of its own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._found = ""
        self._thread = threading.Thread(target=self._search, name="nearby broker", daemon=True)
        self._thread.start()

    def result(self) -> str:
        """A broker as ``host`` or ``host:port``; empty if none was found."""
        self._thread.join(WAIT_SECONDS)
        return self._found

    def _search(self) -> None:
        if not self._machine.path(AVAHI).exists():
            return
        if announced := announced_broker(self._machine.run(["avahi-browse", "-rtp", "_mqtt._tcp"]).out):
            self._found = announced
        elif self._machine.run(["getent", "hosts", HOME_ASSISTANT]).status == 0 and _listens(HOME_ASSISTANT):
            self._found = HOME_ASSISTANT


def announced_broker(browsed: str) -> str:
    """The first broker in what ``avahi-browse -rtp`` prints; empty if there is none.

    A line of a resolved service: ``=;wlan0;IPv4;NAME;_mqtt._tcp;local;HOST;ADDRESS;PORT;TEXT``.
    """
    for line in browsed.splitlines():
        fields = line.split(";")
        # Everything in it comes from others in the network.
        if len(fields) > 8 and fields[0] == "=" and re.fullmatch(r"[\w.-]+;\d{1,5}", f"{fields[6]};{fields[8]}", re.A):
            return fields[6] if fields[8] == str(PORT) else f"{fields[6]}:{fields[8]}"
    return ""


def _listens(host: str) -> bool:
    try:
        socket.create_connection((host, PORT), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
