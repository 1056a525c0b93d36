"""HTTPS for the live page: its certificate and key."""

from __future__ import annotations

import ssl
from pathlib import Path

from edge.errors import SettingsError


def server_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """A TLS context for a server; None if no certificate is set.

    ``certificate`` is the name of a PEM file with the certificate and those that lead to its root; ``key`` that of its
    private key, empty if the key is in the same file. Raises SettingsError.
    """
    if not certificate:
        if key:
            raise SettingsError("web_key: there is a key but no certificate; name its file with web_cert")
        return None
    for setting, file in (("web_cert", certificate), ("web_key", key)):
        try:
            if file:
                Path(file).expanduser().open("rb").close()
        except OSError as error:
            raise SettingsError(f"{setting}: {file}: cannot be read ({error.strerror})") from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    def no_passphrase() -> str:
        raise SettingsError("web_key: the key has a passphrase, which nobody can enter; store it without one")

    try:
        context.load_cert_chain(Path(certificate).expanduser(), Path(key).expanduser() if key else None, no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = "the key does not belong to this certificate; name its own with web_key"
        else:
            why = "is not a certificate with its key, as PEM; name the key's file with web_key if it has one of its own"
        raise SettingsError(f"web_cert: {certificate}: {why}") from error
    return context
