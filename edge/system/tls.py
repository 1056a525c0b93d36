"""Finds out why TLS fails, and whether a port uses it, so that error messages can name the real cause."""

from __future__ import annotations

import socket
import ssl

NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE"}
"""OpenSSL's names for an answer that is not TLS, or a connection that is closed instead of an answer."""

CERTIFICATE_HINTS = {
    9: "check this machine's clock",
    10: "renew it, or check this machine's clock",
    62: "use a name that is in it",
    64: "use an address or a name that is in it",
}
"""OpenSSL's X509_V_ERR_ codes (x509_vfy.h) of certificates that no authority can make good -> what to do."""


def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Whether a port uses TLS; sends nothing but the handshake. ``seconds``: timeout of the connection, and of TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), seconds) as link, context.wrap_socket(link):
            return True
    except ssl.SSLError as error:
        # A server that refuses us with a TLS alert uses TLS, too.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def speaks_no_tls(error: Exception) -> bool:
    """Whether TLS seems to have failed because the far side does not use it: it hangs up, or answers something else."""
    if isinstance(error, ssl.SSLError):
        return error.reason in NO_TLS
    return isinstance(error, ConnectionResetError)
