"""``edge token``: links that log in, and new tokens that log everybody out."""

import json
import re
import urllib.request

import pytest

from edge.cli import main
from edge.web.tokens import FILE
from tests.support.patience import patience
from tests.support.web import device


def links(capsys, *words):
    """The scheme and the token of each link that ``edge token`` prints: to view, and to change."""
    assert main(["token", *words]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return re.findall(r"(https?)://shed:8080/#token=(\S+)$", told.out, re.MULTILINE)


def test_links_have_the_tokens_of_the_state_folder(tmp_path, capsys):
    where = ("--state", str(tmp_path), "--web", "shed:8080")
    (scheme, view), (_, change) = links(capsys, *where)
    assert scheme == "http" and json.loads((tmp_path / FILE).read_text()) == {"change": change, "view": view}
    assert links(capsys, *where) == [("http", view), ("http", change)]
    assert links(capsys, *where, "--web-cert", "c.pem")[0] == ("https", view)


@pytest.mark.parametrize("flag", ["--renew", "--new"])
def test_new_tokens_replace_the_old_ones(tmp_path, capsys, flag):
    where = ("--state", str(tmp_path), "--web", "shed:8080")
    old, new = links(capsys, *where), links(capsys, *where, flag)
    assert not set(old) & set(new) and links(capsys, *where) == new
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_running_device_logs_everybody_out(tmp_path):
    with device(tmp_path, host="0.0.0.0") as running:
        old = running.tokens()
        answer = running.ask("/api/login", json.dumps({"token": old["view"]}).encode())
        cookie = answer.headers["set-cookie"].partition(";")[0]
        request = urllib.request.Request(f"{running.url}api/live", headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=patience(20)) as stream:
            assert stream.readline()
            assert running.ask("/api/status", Cookie=cookie).status == 200
            assert main(["token", "--renew", "--state", str(running.state)]) == 0
            assert running.ask("/api/status", Cookie=cookie).status == 401
            assert running.ask("/api/status", Authorization=f"Bearer {old['change']}").status == 401
            # Ends soon: otherwise this waits until the time is over, and fails.
            for _ in stream:
                pass
        new = running.tokens()["change"]
        assert running.ask("/api/status", Authorization=f"Bearer {new}").json["rights"] == "change"
