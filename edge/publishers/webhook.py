"""Webhook, ``https://host/path`` or ``http://host/path``: POSTs each event as JSON, in order, until it is accepted.

Headers and signature follow Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): ``webhook-id`` is the same at
each try, and ``webhook-signature`` is an HMAC-SHA256 of id, time and body. The query of the URL belongs to the server.
Options for edge-digits follow a ``#`` and are never sent:
``https://host/path?key=abc#secret_file=/etc/edge-digits/webhook``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urlsplit

from edge import uri
from edge.controls import Program
from edge.errors import BusyError, PublishError, SettingsError
from edge.publishers.courier import Channel, Entry
from edge.system.credentials import secret_file
from edge.system.text import one_line, printable
from edge.system.tls import CERTIFICATE_HINTS, speaks_no_tls
from edge.system.version import __version__
from edge.uri import File, Uri

ANSWER_SECONDS = 10.0
"""Time for a request and its complete answer; then the request is given up and made again later. Chosen."""
RETRY_AFTER_MAX_SECONDS = 300.0
"""Longest pause that a server can ask for with Retry-After. Chosen: a wrong header must not stop delivery for hours."""
ANSWER_MAX_BYTES = 65536
"""Most bytes of an answer that are read; after a longer one the connection is closed. Chosen: no answer is needed."""
URL_SAFE = "%/:=&?~#+!$,;'@()*[]"
"""Characters of a path and query that are sent as they are given, besides letters and digits; others are quoted."""
REFUSALS = {
    400: "the server calls the event malformed",
    409: "the server has another event with this id",
    413: "the server calls the event too large",
    415: "the server does not accept JSON",
    422: "the server calls the event invalid",
}
"""HTTP statuses that concern one event, so that another try cannot help: the event is dropped -> the reason.

Any other failure, such as a wrong password or path, concerns all events: they wait until it is fixed.
"""
HINTS = {
    401: "; check password and secret",
    403: "; check password and secret",
    404: "; check the path",
    405: "; check the path",
    410: "; check the path",
}
"""HTTP status -> what to check, for failures that concern all events."""
CREDENTIAL = "webhook-secret"
"""The systemd credential with the secret, used without ``secret_file``: ``LoadCredential=webhook-secret:FILE``."""
SECRET_PREFIX = "whsec_"
"""What a secret begins with, before its base64: Standard Webhooks."""
SECRET_MIN_BYTES = 16
"""Shortest secret in bytes: a shorter one can be guessed. Standard Webhooks recommends 24 to 64 bytes."""


class Webhook(Channel):
    """Keeps one connection, and opens a new one if the server has closed it.

    It uses Python's own http.client: the courier does the retries, and a library (urllib3, requests) would take 5 to 10
    MB of a Pi's memory. Proxies are not used, and redirections not followed.
    """

    def __init__(self, url: str, program: Program, *, secret_file: File = "", ca: File = "") -> None:
        """``url`` ends before the ``#``. ``ca``: PEM file of the authority to trust; empty: the system's."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise SettingsError(f"a webhook's URL is invalid ({one_line(error)}); write https://host/path") from error
        if (
            not host
            or not uri.is_host(host)
            or parts.scheme not in ("http", "https")
            or re.search(r"[\0-\x20\x7f]", url)
        ):
            raise SettingsError("a webhook's URL is invalid; write https://host/path, without spaces")
        if ca and parts.scheme == "http":
            raise SettingsError(f"{public_name(url)}: ca= works only with https://")
        self.name = public_name(url)
        self._target = (quote(parts.path, safe=URL_SAFE) or "/") + (
            f"?{quote(parts.query, safe=URL_SAFE)}" if parts.query else ""
        )
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"edge-digits/{__version__} ({quote(program.device)})",
        }
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        self._secret = _secret(self.name, secret_file)
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=ANSWER_SECONDS, context=_tls_context(self.name, ca)
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        self._has_answered = self._aborted = False

    def connect(self) -> None:
        """Connect, so that a wrong name, port or certificate is reported before there is something to send."""
        try:
            self._connection.connect()
        except ssl.SSLCertVerificationError as error:
            hint = CERTIFICATE_HINTS.get(error.verify_code, "give its certificate authority with #ca=FILE")
            raise PublishError(
                f"{self.name}: its certificate is not trusted ({error.verify_message.rstrip('.')}); {hint}"
            ) from error
        except OSError as error:
            if isinstance(self._connection, http.client.HTTPSConnection) and speaks_no_tls(error):
                raise PublishError(f"{self.name}: seems not to use TLS; check the port, or use http://") from error
            why = error.strerror or one_line(error)
            raise PublishError(f"{self.name}: cannot be reached ({why}); check name, port and network") from error
        self._has_answered = False

    def send(self, entries: Sequence[Entry]) -> Iterator[str]:
        """POST the entries one after the other."""
        for entry in entries:
            try:
                answer = self._post(entry)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, PublishError):
                    raise
                raise PublishError(f"{self.name}: {self._failure(error)}") from error
            yield self._refusal_of(answer)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def stop(self) -> None:
        """End the wait for an answer; another thread calls it."""
        self._aborted = True
        link = self._connection.sock
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _post(self, entry: Entry) -> http.client.HTTPResponse:
        try:
            return self._request(entry)
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server may have closed a connection that was idle: try once more with a new one.
            if not self._has_answered or self._aborted:
                raise
        self.close()
        return self._request(entry)

    def _request(self, entry: Entry) -> http.client.HTTPResponse:
        """Make one request and read its answer, within ANSWER_SECONDS in all, even if bytes come slowly."""
        # A header is ASCII; a byte that a bad card has changed may not be.
        key = printable(f"{entry.boot_id}-{entry.seq}").encode("ascii", "replace").decode()
        body, timestamp = entry.text.encode(), int(time.time())
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(timestamp),
            "Idempotency-Key": f'"{key}"',
            **self._headers,
        }
        if self._secret:
            headers["webhook-signature"] = signature(self._secret, key, timestamp, body)
        if self._connection.sock is None:
            self.connect()
        self._aborted = False
        limit = threading.Timer(ANSWER_SECONDS, self.stop)
        limit.daemon = True
        limit.start()
        try:
            self._connection.request("POST", self._target, body, headers)
            answer = self._connection.getresponse()
            answer.read(ANSWER_MAX_BYTES)
        finally:
            limit.cancel()
        self._has_answered = True
        if not answer.isclosed():
            # The answer was longer than ANSWER_MAX_BYTES.
            self.close()
        return answer

    def _failure(self, error: Exception) -> str:
        if self._aborted or isinstance(error, TimeoutError):
            return f"has not answered within {ANSWER_SECONDS:g} s; check the server"
        if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
            return f"the answer is not HTTP ({type(error).__name__}); check the port, and http or https"
        why = getattr(error, "strerror", None) or one_line(error)
        return f"has closed the connection ({why}); check the server"

    def _refusal_of(self, answer: http.client.HTTPResponse) -> str:
        """Empty if the event was accepted; why, if it never will be; PublishError if another try may help."""
        status = answer.status
        if 200 <= status < 300:
            return ""
        text = f"answers {status} {one_line(Exception(answer.reason), 60)}".rstrip()
        if status in REFUSALS:
            return f"{text}: {REFUSALS[status]}"
        if seconds := retry_after_seconds(answer.getheader("Retry-After", ""), datetime.now(UTC)):
            raise BusyError(f"{self.name}: {text} and asks to wait {seconds:.0f} s", seconds)
        if 300 <= status < 400:
            raise PublishError(f"{self.name}: {text}: it has moved; give the new address")
        raise PublishError(f"{self.name}: {text}{HINTS.get(status, '; check the server')}")


def signature(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: ``v1,`` and the HMAC-SHA256 of ``id.timestamp.body`` in base64.

    ``key`` is the header ``webhook-id``; ``timestamp`` is the header ``webhook-timestamp``, in seconds since 1970.
    """
    mac = hmac.digest(secret, b".".join((key.encode(), str(timestamp).encode(), body)), "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"


def retry_after_seconds(retry_after: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date (RFC 9110, 10.2.3).

    At most RETRY_AFTER_MAX_SECONDS; 0 if it is empty or cannot be parsed.
    """
    seconds = 0.0
    if retry_after.isascii() and retry_after.isdecimal():
        seconds = float(retry_after[:9])
    elif retry_after:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            seconds = (parsedate_to_datetime(retry_after).astimezone(UTC) - now).total_seconds()
    return min(max(0.0, seconds), RETRY_AFTER_MAX_SECONDS)


def split(text: str) -> Uri:
    """The parts of a webhook's URI: ``what`` is all before the ``#``; ``text`` contains no secret."""
    url, _, ours = text.partition("#")
    scheme, name = url.partition(":")[0], public_name(url)
    options = uri.split(f"{name}?{ours}").options
    if ours and not options:
        raise SettingsError(f"{name}: after the # come options as name=value: secret_file, ca")
    return Uri(name, scheme, url, options)


def public_name(url: str) -> str:
    """Scheme and host of a URL, and a short hash that tells URLs apart: the path may be as secret as a password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port = "", ""
    # Hash it without the login: a weak password could be guessed from the hash.
    anonymous = re.sub("//[^/]*@", "//", url)
    mark = hashlib.sha256(anonymous.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{url.partition(':')[0]}://{f'[{host}]' if ':' in host else host}{port}/({mark})"


def _secret(name: str, file: str) -> bytes:
    """The secret to sign requests with, from the file or else from systemd's credential; empty if there is neither."""
    if (path := secret_file(file, CREDENTIAL)) is None:
        return b""
    try:
        secret = base64.b64decode(path.read_text("utf-8").strip().removeprefix(SECRET_PREFIX), validate=True)
    except OSError as error:
        raise SettingsError(f"{name}: secret_file {path}: cannot be read ({error.strerror})") from error
    except ValueError:
        secret = b""
    if len(secret) < SECRET_MIN_BYTES:
        make = f'echo "{SECRET_PREFIX}$(openssl rand -base64 32)"'
        # Without a cause, because that would contain the content of the file.
        raise SettingsError(f"{name}: secret_file {path}: contains no valid secret; make one with: {make}") from None
    return secret


def _tls_context(name: str, ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError as error:
        raise SettingsError(f"{name}: ca {ca}: is not a PEM file of certificates") from error
    except OSError as error:
        raise SettingsError(f"{name}: ca {ca}: cannot be read ({error.strerror})") from error
