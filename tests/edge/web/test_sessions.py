"""Sessions end, are renewed while they are used, and cannot be made without a token."""

import pytest

from edge.web.sessions import IDLE_SECONDS, LONGEST_SECONDS, Session
from edge.web.tokens import Tokens

TOKENS, OTHERS = Tokens("change" * 5, "view" * 8), Tokens("new" * 10, "newer" * 6)
NOW = 1_764_000_000.5
DAY = 86_400


def after(cookie, seconds, tokens=TOKENS):
    return Session.from_cookie(cookie, tokens, NOW + seconds)


@pytest.mark.parametrize("rights", ["view", "change"])
def test_a_session_has_the_rights_of_its_login_until_it_ends(rights):
    cookie = Session.begin(rights, NOW).cookie(TOKENS)
    assert TOKENS.change not in cookie and TOKENS.view not in cookie
    found = after(cookie, IDLE_SECONDS - 1)
    assert found and found.rights == rights
    assert after(cookie, IDLE_SECONDS) is None


def test_a_session_of_the_future_is_worth_nothing():
    """It was made while the clock was wrong."""
    cookie = Session.begin("change", NOW).cookie(TOKENS)
    assert after(cookie, -DAY + 1), "set back a little, as after a power cut"
    assert after(cookie, -DAY - 1) is after(cookie, -3650 * DAY) is None


def test_new_tokens_end_all_sessions():
    for rights in ("view", "change"):
        assert after(Session.begin(rights, NOW).cookie(TOKENS), 0, OTHERS) is None


def test_a_session_that_is_used_is_renewed_but_ends_at_last():
    session, days = Session.begin("view", NOW), 0
    cookie = session.cookie(TOKENS)
    while found := after(cookie, days * DAY):
        cookie = (found.renewed(NOW + days * DAY) or found).cookie(TOKENS)
        days += 1
    assert days == LONGEST_SECONDS // DAY == 30
    assert session.renewed(NOW + 3600) is None, "a cookie a day is enough"


def test_a_changed_cookie_is_worth_nothing():
    cookie = Session.begin("view", NOW).cookie(TOKENS)
    rights, began, ends, signature = cookie.split(".")
    for wrong in (
        f"change.{began}.{ends}.{signature}",
        f"view.{began}.{int(ends) + 1}.{signature}",
        f"view.{int(began) + 1}.{ends}.{signature}",
        f"view.{began}.{ends}.{'0' * 64}",
        f"{cookie}.",
        f"view.{began}.{ends}",
        TOKENS.view,
        "",
        "view.٣.٣." + signature,
    ):
        assert after(wrong, 0) is None
    assert after(cookie, 0)
