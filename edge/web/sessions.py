"""Sessions of browsers: signed cookies that end, made at a login and renewed while they are used."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Self

from edge.web.tokens import Rights, Tokens

IDLE_SECONDS = 7 * 86_400
"""Seconds after which a session ends that is not used. Chosen: a browser that is used every week stays logged in."""
LONGEST_SECONDS = 30 * 86_400
"""Seconds after which every session ends. Chosen."""
RENEW_SECONDS = 86_400
"""A session is renewed if it was made or renewed at least this long ago, seconds. Chosen: a cookie a day is enough."""
CLOCK_SECONDS = 86_400
"""Seconds by which the clock may have been set back since the login. Chosen: without a network, a Raspberry Pi
begins at the time that it last wrote to its disk."""
PATTERN = re.compile(r"(view|change)\.([0-9]{1,12})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)
"""A cookie: rights, when it began and when it ends (seconds since 1970), and its signature."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser may do, and until when."""

    rights: Rights
    began: int
    """When its user logged in, seconds since 1970."""
    ends: int
    """When it ends if it is not used, seconds since 1970."""

    @classmethod
    def begin(cls, rights: Rights, now: float) -> Self:
        """A new session; ``now`` in seconds since 1970."""
        return cls(rights, int(now), int(now) + IDLE_SECONDS)

    @classmethod
    def from_cookie(cls, cookie: str, tokens: Tokens, now: float) -> Self | None:
        """The session of a cookie; None if it has ended, or was not signed with the present tokens."""
        found = PATTERN.fullmatch(cookie)
        if not found:
            return None
        session = cls("change" if found[1] == "change" else "view", int(found[2]), int(found[3]))
        genuine = hmac.compare_digest(found[4], session._signature(tokens))
        # One that begins in the future was made while the clock was wrong; it would last for longer than it may.
        valid = session.began - CLOCK_SECONDS <= now < min(session.ends, session.began + LONGEST_SECONDS)
        return session if genuine and valid else None

    def cookie(self, tokens: Tokens) -> str:
        """The cookie, signed with the token of its rights: new tokens end all sessions."""
        return f"{self._text()}.{self._signature(tokens)}"

    def renewed(self, now: float) -> Session | None:
        """The session that replaces this one as it is used; None if it is still new, or cannot last longer."""
        ends = min(int(now) + IDLE_SECONDS, self.began + LONGEST_SECONDS)
        return Session(self.rights, self.began, ends) if ends - self.ends >= RENEW_SECONDS else None

    def _text(self) -> str:
        return f"{self.rights}.{self.began}.{self.ends}"

    def _signature(self, tokens: Tokens) -> str:
        key = tokens.change if self.rights == "change" else tokens.view
        return hmac.digest(key.encode(), b"session " + self._text().encode(), "sha256").hex()
