"""Whether the other side speaks TLS: for error messages that name the real cause."""

from __future__ import annotations

import socket
import ssl

NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE"}
"""What OpenSSL calls an answer that is no TLS, or a far side that hangs up on it."""


def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Whether a port speaks TLS; nothing is said to it there. ``seconds`` for the connection, and for TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), seconds) as link, context.wrap_socket(link):
            return True
    except ssl.SSLError as error:
        # One that refuses us by an alert speaks it, too.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def speaks_no_tls(error: Exception) -> bool:
    """Whether TLS seems to have failed because the far side speaks none: it hangs up, or answers in something else."""
    if isinstance(error, ssl.SSLError):
        return error.reason in NO_TLS
    return isinstance(error, ConnectionResetError)
