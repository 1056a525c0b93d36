"""``https://host/path``, ``http://host/path``: each event is POSTed there as JSON, in order, until the far side has it.

Named and signed as Standard Webhooks 1.0.0 wants it (https://www.standardwebhooks.com): ``webhook-id`` is the same at
each try, and ``webhook-signature`` is an HMAC-SHA256 of id, time and body. The URL's query is the far side's own; our
options follow a ``#``, which is never sent: ``https://host/path?key=abc#secret_file=/etc/edge-digits/webhook``.
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
from edge.system.text import one_line
from edge.system.tls import speaks_no_tls
from edge.system.version import __version__
from edge.uri import File, Uri

ANSWER_SECONDS = 10.0
"""A request that has no whole answer after this is given up, and made again later."""
BUSY_SECONDS = 300.0
"""A far side that wants to be left alone (Retry-After) is, for so long at most."""
ANSWER_BYTES = 65536
"""An answer that is longer costs the connection."""
SAFE = "%/:=&?~#+!$,;'@()*[]"
"""What of a path and query is sent as it is given."""
REFUSALS = {
    400: "it finds the event malformed",
    409: "it has another of this id",
    413: "it finds the event too large",
    415: "it takes no JSON",
    422: "it finds the event wrong",
}
"""Answers that are about the one event: another try makes none of them better. Any other failure, a wrong password or a
wrong path too, is about the way there: events wait until it is mended."""
HINTS = {
    401: "; check password and secret",
    403: "; check password and secret",
    404: "; check the path",
    405: "; check the path",
    410: "; check the path",
}
CREDENTIAL = "webhook-secret"
"""The systemd credential with the secret, where none is named: ``LoadCredential=webhook-secret:FILE``."""
PREFIX = "whsec_"
LEAST_BYTES = 16
"""A shorter secret can be guessed; Standard Webhooks recommends 24 to 64 bytes."""


class Webhook(Channel):
    """One connection that is kept, and made anew where the far side has closed it.

    Python's own HTTP: all tries are the courier's, and a library for the rest takes 5 to 10 MB of a Pi's memory
    (urllib3, requests). No proxy is asked, no redirection followed.
    """

    def __init__(self, url: str, program: Program, *, secret_file: File = "", ca: File = "") -> None:
        """``url`` ends before the ``#``; ``ca`` is a PEM file of the authority that is trusted; empty: the system's."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise SettingsError(f"a webhook's URL cannot be understood ({one_line(error)})") from error
        if not host or parts.scheme not in ("http", "https") or re.search(r"[\0-\x20\x7f]", url):
            raise SettingsError("a webhook is written https://host/path, without blanks")
        if ca and parts.scheme == "http":
            raise SettingsError(f"{shown(url)}: ca= is for https://")
        self.name = shown(url)
        self._target = (quote(parts.path, safe=SAFE) or "/") + (
            f"?{quote(parts.query, safe=SAFE)}" if parts.query else ""
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
                host, port, timeout=ANSWER_SECONDS, context=_context(self.name, ca)
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        self._used = self._late = False

    def connect(self) -> None:
        """Get to the far side, so that a wrong name, port or certificate is said before there is something to send."""
        try:
            self._connection.connect()
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            raise PublishError(
                f"{self.name}: its certificate is not trusted ({why}); name its CA with #ca=FILE"
            ) from error
        except OSError as error:
            if isinstance(self._connection, http.client.HTTPSConnection) and speaks_no_tls(error):
                raise PublishError(f"{self.name}: seems to speak no TLS; check the port, or use http://") from error
            why = error.strerror or one_line(error)
            raise PublishError(f"{self.name}: cannot be reached ({why}); check name, port and network") from error
        self._used = False

    def send(self, entries: Sequence[Entry]) -> Iterator[str]:
        """POST one after the other."""
        for entry in entries:
            try:
                answer = self._post(entry)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, PublishError):
                    raise
                raise PublishError(f"{self.name}: {self._why(error)}") from error
            yield self._judge(answer)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def stop(self) -> None:
        """End the wait for an answer; another thread calls it."""
        self._late = True
        link = self._connection.sock
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _post(self, entry: Entry) -> http.client.HTTPResponse:
        try:
            return self._ask(entry)
        except (ConnectionError, http.client.RemoteDisconnected):
            # A connection that was kept may have been closed by the far side meanwhile: that is no trouble yet.
            if not self._used or self._late:
                raise
        self.close()
        return self._ask(entry)

    def _ask(self, entry: Entry) -> http.client.HTTPResponse:
        """One request and its answer, read to its end; within ANSWER_SECONDS, even if it drips."""
        body, key, moment = entry.text.encode(), f"{entry.boot_id}-{entry.seq}", int(time.time())
        headers = {"webhook-id": key, "webhook-timestamp": str(moment), "Idempotency-Key": f'"{key}"', **self._headers}
        if self._secret:
            headers["webhook-signature"] = signature(self._secret, key, moment, body)
        if self._connection.sock is None:
            self.connect()
        self._late = False
        limit = threading.Timer(ANSWER_SECONDS, self.stop)
        limit.daemon = True
        limit.start()
        try:
            self._connection.request("POST", self._target, body, headers)
            answer = self._connection.getresponse()
            answer.read(ANSWER_BYTES)
        finally:
            limit.cancel()
        self._used = True
        if not answer.isclosed():
            # Too long to be read to its end.
            self.close()
        return answer

    def _why(self, error: Exception) -> str:
        if self._late or isinstance(error, TimeoutError):
            return f"has not answered within {ANSWER_SECONDS:g} s; see how it is"
        if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
            return f"what answers there speaks no HTTP ({type(error).__name__}); check the port, and http or https"
        why = getattr(error, "strerror", None) or one_line(error)
        return f"has closed the connection ({why}); see how it is"

    def _judge(self, answer: http.client.HTTPResponse) -> str:
        """Empty where the far side has it; why, where it never will; PublishError where another try may help."""
        status = answer.status
        if 200 <= status < 300:
            return ""
        said = f"answers {status} {one_line(Exception(answer.reason), 60)}".rstrip()
        if status in REFUSALS:
            return f"{said}: {REFUSALS[status]}"
        if seconds := wait_of(answer.getheader("Retry-After", ""), datetime.now(UTC)):
            raise BusyError(f"{self.name}: {said} and wants {seconds:.0f} s of rest", seconds)
        if 300 <= status < 400:
            raise PublishError(f"{self.name}: {said}: it has moved; name the new address")
        raise PublishError(f"{self.name}: {said}{HINTS.get(status, '; see how it is')}")


def signature(secret: bytes, key: str, moment: int, body: bytes) -> str:
    """The header ``webhook-signature``: ``v1,`` and the HMAC-SHA256 of ``id.timestamp.body`` in base64.

    ``key`` is the header ``webhook-id``, ``moment`` seconds since 1970, as ``webhook-timestamp`` has them.
    """
    mac = hmac.digest(secret, b".".join((key.encode(), str(moment).encode(), body)), "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"


def wait_of(retry_after: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks for: a number, or a date (RFC 9110, 10.2.3); BUSY_SECONDS at most.

    0 where it asks for nothing, or says nothing that can be understood.
    """
    seconds = 0.0
    if retry_after.isascii() and retry_after.isdecimal():
        seconds = float(retry_after[:9])
    elif retry_after:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            seconds = (parsedate_to_datetime(retry_after).astimezone(UTC) - now).total_seconds()
    return min(max(0.0, seconds), BUSY_SECONDS)


def split(text: str) -> Uri:
    """A webhook's URI in its parts: ``what`` is all before the ``#``, ``text`` says no more than may be shown."""
    url, _, ours = text.partition("#")
    scheme, name = url.partition(":")[0], shown(url)
    options = uri.split(f"{name}?{ours}").options
    if ours and not options:
        raise SettingsError(f"{name}: after # stand options, as name=value: secret_file, ca")
    return Uri(name, scheme, url, options)


def shown(url: str) -> str:
    """Scheme and host, and what tells it from another URL there; its path may be a secret as good as a password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port = "", ""
    # Not of the login: a password that people choose could be guessed with it.
    anonymous = re.sub("//[^/]*@", "//", url)
    mark = hashlib.sha256(anonymous.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{url.partition(':')[0]}://{f'[{host}]' if ':' in host else host}{port}/({mark})"


def _secret(name: str, file: str) -> bytes:
    """What requests are signed with: from the file, else from systemd's credential; empty where there is neither."""
    if (path := secret_file(file, CREDENTIAL)) is None:
        return b""
    try:
        secret = base64.b64decode(path.read_text("utf-8").strip().removeprefix(PREFIX), validate=True)
    except OSError as error:
        raise SettingsError(f"{name}: secret_file {path}: cannot be read ({error.strerror})") from error
    except ValueError:
        secret = b""
    if len(secret) < LEAST_BYTES:
        make = f'echo "{PREFIX}$(openssl rand -base64 32)"'
        # Without a cause: that would have what the file says.
        raise SettingsError(f"{name}: secret_file {path}: holds no secret; make one with: {make}") from None
    return secret


def _context(name: str, ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError as error:
        raise SettingsError(f"{name}: ca {ca}: is no PEM file of certificates") from error
    except OSError as error:
        raise SettingsError(f"{name}: ca {ca}: cannot be read ({error.strerror})") from error
