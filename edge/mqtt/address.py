"""Where an MQTT broker is, and how to get in: what its URI says, its password, its certificates.

A password may stand in the URI, in a file, or in systemd's credential ``mqtt-password``; no line, error or repr has it.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import unquote

from edge.errors import PublishError, SettingsError
from edge.system.credentials import secret_file
from edge.system.text import one_line
from edge.system.tls import speaks_no_tls
from edge.uri import OptionType

CREDENTIAL = "mqtt-password"
"""The name of systemd's credential: ``LoadCredential=mqtt-password:/etc/edge-digits/mqtt-password``."""
PREFIX = "edge-digits"
"""Topics begin with this where the URI names no other prefix."""
Version = Annotated[int, OptionType("5 or 3", {"5": 5, "3": 3}.__getitem__)]
"""The option ``version``: of MQTT, 3 for 3.1.1."""
_PLACE = re.compile(
    r"//(?:(?P<user>[^:@/]*)(?::(?P<password>.*))?@)?(?P<host>\[[^\]]+\]|[^:/@\[\]\s]+)(?::(?P<port>\d{1,5}))?"
    r"(?:/(?P<prefix>.*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a broker is, and how to get in."""

    host: str
    port: int
    prefix: str
    """What every topic begins with."""
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    secure: bool = False
    """By TLS."""
    ca: str = ""
    """PEM file of the authority that is trusted; empty: the system's."""
    cert: str = ""
    """PEM file with our own certificate; empty: none."""
    key: str = ""
    """PEM file of its key; empty: it is in the same file."""
    version: int = 0
    """5 or 3 (3.1.1); 0: 5, and 3.1.1 where the broker does not know 5."""

    @property
    def name(self) -> str:
        """As lines and metrics show it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' * self.secure}://{host}:{self.port}/{self.prefix}"

    def secret(self) -> str | None:
        """The password, read anew each time; None where there is none. PublishError where its file cannot be read."""
        if self.password:
            return self.password
        if (path := secret_file(self.password_file, CREDENTIAL)) is None:
            return None
        try:
            return path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8"
            raise PublishError(f"{self.name}: password file {path}: cannot be read ({why})") from error

    def check(self) -> None:
        """PublishError where a file that is named cannot be used."""
        if self.user:
            self.secret()
        if self.secure:
            self.context()

    def context(self) -> ssl.SSLContext:
        """TLS as it shall be; PublishError where a file cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca or None)
        except OSError as error:
            raise PublishError(f"{self.name}: ca={self.ca}: {_no_pem(error)}") from error
        context.sslsocket_class = _TlsSocket
        if self.ca:
            # On by default since Python 3.13; home-made authorities seldom have all that RFC 5280 asks of them.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.cert:
            try:
                # A key with a passphrase would be asked for on the terminal.
                context.load_cert_chain(self.cert, self.key or None, password=lambda: b"")
            except OSError as error:
                files = f"cert={self.cert}" + (f" key={self.key}" if self.key else "")
                raise PublishError(f"{self.name}: {files}: {_no_pem(error)}") from error
        return context


def why_not(address: Address, error: Exception) -> str:
    """Why there is no connection, and what mends it."""
    place = f"{address.host}:{address.port}"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"no computer is called {address.host!r}; check the name, and that this one finds names (DNS)"
    if isinstance(error, ssl.SSLCertVerificationError):
        trust = "name the authority that signed it: ?ca=FILE" if not address.ca else f"{address.ca} has not signed it"
        return f"the broker's certificate is not trusted ({error.verify_message.rstrip('.')}); {trust}"
    if address.secure and speaks_no_tls(error):
        return f"{place} seems to speak no TLS; check the port, or use mqtt:// (usual port: 1883)"
    if isinstance(error, ssl.SSLError):
        return (
            f"{place} speaks no TLS that fits ({error.reason or one_line(error)}); check the port, and cert= and key="
        )
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {place}; is the broker running?"
    if isinstance(error, TimeoutError):
        return f"{place} does not answer; check the address, and firewalls between"
    return f"{place} cannot be reached ({getattr(error, 'strerror', None) or one_line(error)})"


class _TlsSocket(ssl.SSLSocket):
    """Closed where the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _no_pem(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"is no such PEM file ({error.reason or one_line(error)})"
    return f"cannot be read ({error.strerror})"


def parse(what: str, *, secure: bool = False, **given: Any) -> Address:
    """``//[user[:password]@]host[:port][/prefix]`` -> Address; ``given`` are further fields. SettingsError."""
    scheme = "mqtts" if secure else "mqtt"
    place = _PLACE.fullmatch(what)
    # The password may be anything, so the URI itself is never shown.
    if not place:
        raise SettingsError(f"{scheme}: is written {scheme}://[user@]host[:port]/topic-prefix")
    host, port = place["host"].strip("[]"), int(place["port"] or (8883 if secure else 1883))
    prefix = (place["prefix"] or "").strip("/") or PREFIX
    shown = f"{scheme}://{place['host']}"
    if not 1 <= port <= 65535:
        raise SettingsError(f"{shown}: a port is a number from 1 to 65535, not {port}")
    if re.search(r"[+#\0\s]", prefix) or prefix.startswith("$"):
        raise SettingsError(f"{shown}: a topic prefix has no +, # or blank, and does not begin with $: {prefix!r}")
    files = [name for name in ("ca", "cert", "key") if given.get(name)]
    if files and not secure:
        raise SettingsError(f"{shown}: {files[0]}= is for mqtts://")
    if given.get("key") and not given.get("cert"):
        raise SettingsError(f"{shown}: key= is the key of cert=, which is missing")
    user, password = unquote(place["user"] or ""), unquote(place["password"] or "")
    if given.get("password_file") and not user:
        raise SettingsError(f"{shown}: password_file= is of a user: {scheme}://USER@{place['host']}")
    return Address(host=host, port=port, prefix=prefix, user=user, password=password, secure=secure, **given)
