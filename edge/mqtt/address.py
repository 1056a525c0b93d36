"""The address of an MQTT broker: its URI, login, password and certificates.

The password can be in the URI, in a file, or in systemd's credential ``mqtt-password``. It never appears in a log line,
an error or a repr.
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
from edge.system.tls import CERTIFICATE_HINTS, speaks_no_tls
from edge.uri import OptionType

CREDENTIAL = "mqtt-password"
"""Name of the systemd credential: ``LoadCredential=mqtt-password:/etc/edge-digits/mqtt-password``."""
PREFIX = "edge-digits"
"""What topics begin with if the URI names no other prefix; client ids always begin with it."""
Version = Annotated[int, OptionType("5 or 3", {"5": 5, "3": 3}.__getitem__)]
"""The option ``version``: of MQTT, 3 for 3.1.1."""
_URI_PATTERN = re.compile(
    r"//(?:(?P<user>[^:@/]*)(?::(?P<password>.*))?@)?(?P<host>\[[^\]]+\]|[^:/@\[\]\s]+)(?::(?P<port>\d{1,5}))?"
    r"(?:/(?P<prefix>.*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a broker is, and how to log in."""

    host: str
    port: int
    prefix: str
    """What every topic begins with, without a slash at either end."""
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    secure: bool = False
    """Whether to use TLS."""
    ca: str = ""
    """PEM file of the certificate authority to trust; empty: the system's authorities."""
    cert: str = ""
    """PEM file of our client certificate; empty: none."""
    key: str = ""
    """PEM file of the certificate's key; empty: it is in the file ``cert``."""
    version: int = 0
    """MQTT version, 5 or 3 (3.1.1); 0: try 5, and then 3.1.1 if the broker does not support 5."""

    @property
    def name(self) -> str:
        """Its URI without the login, as log lines and metrics show it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' * self.secure}://{host}:{self.port}/{self.prefix}"

    def password_now(self) -> str | None:
        """The password; its file is read each time. None if there is none. PublishError if the file cannot be read."""
        if self.password:
            return self.password
        if (path := secret_file(self.password_file, CREDENTIAL)) is None:
            return None
        try:
            return path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise PublishError(f"{self.name}: password file {path}: cannot be read ({why})") from error

    def check(self) -> None:
        """PublishError if a file of this address cannot be used."""
        if self.user:
            self.password_now()
        if self.secure:
            self.tls_context()

    def tls_context(self) -> ssl.SSLContext:
        """A TLS context for this address; PublishError if a file cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca or None)
        except OSError as error:
            raise PublishError(f"{self.name}: ca={self.ca}: {_pem_problem(error)}") from error
        context.sslsocket_class = _TlsSocket
        if self.ca:
            # Strict since Python 3.13; home-made authorities seldom have everything that RFC 5280 requires.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.cert:
            try:
                # Without this, OpenSSL would ask on the terminal for the passphrase of a key.
                context.load_cert_chain(self.cert, self.key or None, password=lambda: b"")
            except OSError as error:
                files = f"cert={self.cert}" + (f" key={self.key}" if self.key else "")
                raise PublishError(f"{self.name}: {files}: {_pem_problem(error)}") from error
        return context


def check_device(name: str, place: str) -> None:
    """SettingsError if a device of this name cannot have topics of its own; ``place`` is what the error begins with."""
    if re.search(r"[+#/\0\s]", name) or not name:
        raise SettingsError(f"{place}: a device's name must not be empty or contain +, #, / or spaces: {name!r}")


def connection_problem(address: Address, error: Exception) -> str:
    """Why connecting failed, and what to do about it; one line."""
    place = f"{address.host}:{address.port}"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"there is no computer called {address.host!r}; check the name, and the network's DNS"
    if isinstance(error, ssl.SSLCertVerificationError):
        trust = "give the authority that signed it: ?ca=FILE" if not address.ca else f"{address.ca} has not signed it"
        trust = CERTIFICATE_HINTS.get(error.verify_code, trust)
        return f"the broker's certificate is not trusted ({error.verify_message.rstrip('.')}); {trust}"
    if address.secure and speaks_no_tls(error):
        return f"{place} seems not to use TLS; check the port, or use mqtt:// (usual port: 1883)"
    if isinstance(error, ssl.SSLError):
        return f"TLS with {place} failed ({error.reason or one_line(error)}); check the port, and cert= and key="
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {place}; is the broker running?"
    if isinstance(error, TimeoutError):
        return f"{place} does not answer; check the address and the firewalls"
    return f"{place} cannot be reached ({getattr(error, 'strerror', None) or one_line(error)})"


class _TlsSocket(ssl.SSLSocket):
    """A TLS socket that is closed at once if the handshake fails; paho leaves that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _pem_problem(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"is not a valid PEM file ({error.reason or one_line(error)})"
    return f"cannot be read ({error.strerror})"


def parse(what: str, *, secure: bool = False, **options: Any) -> Address:
    """``//[user[:password]@]host[:port][/prefix]`` -> Address; ``options`` are its other fields. SettingsError."""
    scheme = "mqtts" if secure else "mqtt"
    place = _URI_PATTERN.fullmatch(what)
    # Never show the URI itself: any part of it may be the password.
    if not place:
        raise SettingsError(f"{scheme}: invalid; write {scheme}://[user@]host[:port]/topic-prefix")
    host, port = place["host"].strip("[]"), int(place["port"] or (8883 if secure else 1883))
    prefix = (place["prefix"] or "").strip("/") or PREFIX
    shown = f"{scheme}://{place['host']}"
    if not 1 <= port <= 65535:
        raise SettingsError(f"{shown}: a port is a number from 1 to 65535, not {port}")
    if re.search(r"[+#\0\s]", prefix) or prefix.startswith("$"):
        raise SettingsError(f"{shown}: a topic prefix must not contain +, # or spaces, or begin with $: {prefix!r}")
    files = [name for name in ("ca", "cert", "key") if options.get(name)]
    if files and not secure:
        raise SettingsError(f"{shown}: {files[0]}= works only with mqtts://")
    if options.get("key") and not options.get("cert"):
        raise SettingsError(f"{shown}: key= needs cert=, which is missing")
    user, password = unquote(place["user"] or ""), unquote(place["password"] or "")
    if options.get("password_file") and not user:
        raise SettingsError(f"{shown}: password_file= needs a user: {scheme}://USER@{place['host']}")
    return Address(host=host, port=port, prefix=prefix, user=user, password=password, secure=secure, **options)
