"""HTTPS for the live page: its certificate and key."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from edge.errors import SettingsError
from edge.system.files import expanded
from edge.system.text import one_line, printable


def server_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """A TLS context for a server; None if no certificate is set.

    ``certificate`` is the name of a PEM file with the certificate and those that lead to its root; ``key`` that of its
    private key, empty if the key is in the same file. Raises SettingsError.
    """
    if not certificate:
        if key:
            raise SettingsError("web_key: there is a key but no certificate; name its file with web_cert")
        return None
    certificate_file = _readable(certificate, "web_cert")
    key_file = _readable(key, "web_key") if key else None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    def no_passphrase() -> str:
        raise SettingsError("web_key: the key has a passphrase, which nobody can enter; store it without one")

    try:
        context.load_cert_chain(certificate_file, key_file, no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = "the key does not belong to this certificate; name its own with web_key"
        elif error.reason:
            # Such as EE_KEY_TOO_SMALL.
            reason = error.reason.lower().replace("_", " ")
            why = f"OpenSSL does not accept it ({reason}); make one with a key of 2048 bits or more"
        else:
            why = "is not a certificate with its key, as PEM; name the key's file with web_key if it has one of its own"
        raise SettingsError(f"web_cert: {certificate}: {why}") from error
    return context


def _readable(name: str, setting: str) -> Path:
    path = expanded(name)
    try:
        # Another kind, such as a named pipe, may never end.
        is_file = stat.S_ISREG(path.stat().st_mode)
        if is_file:
            path.open("rb").close()
    except (OSError, ValueError) as error:
        # ValueError: no name may have a NUL in it.
        why = getattr(error, "strerror", None) or one_line(error)
        raise SettingsError(f"{setting}: {printable(name)}: cannot be read ({why})") from error
    if not is_file:
        raise SettingsError(f"{setting}: {name}: is not a file; name a PEM file")
    return path
