"""The HTTP API and its access control, tested on a whole ``edge run`` over a real socket."""

import base64
import json
import random
import re
import socket
import time
import urllib.request
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest

from edge import cli
from edge.errors import SettingsError, StateError
from edge.uri import split_address
from edge.web.access import is_loopback
from edge.web.app import PAGE_FILES, PAGE_FOLDER
from edge.web.tokens import FILE, load_tokens
from tests.support.patience import patience
from tests.support.web import ROOT, device

SCHEMA = json.loads((ROOT / "edge" / "schema" / "reading.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with device(tmp_path_factory.mktemp("here")) as running:
        yield running


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A device that listens on all addresses, and so needs a token."""
    with device(tmp_path_factory.mktemp("elsewhere"), host="0.0.0.0") as running:
        yield running


def packed(pixels, suffix=".png"):
    return cv2.imencode(suffix, pixels)[1].tobytes()


def line_of(answer):
    """The one line of an error."""
    assert list(answer.json) == ["error"] and "\n" not in answer.json["error"]
    return answer.json["error"]


# --- reading


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".pgm"])
def test_a_picture_is_read_as_edge_read_does(here, page, suffix):
    answer = here.ask("/api/read", packed(page("2357", "41"), suffix))
    assert (answer.status, answer.json["text"]) == (200, "2357\n41")
    jsonschema.validate(answer.json, SCHEMA)


def test_stages_are_sent_if_requested(here, page):
    view = here.ask("/api/read?stages", packed(page("27"))).json
    assert view["reading"]["text"] == "27" and view["size"] == [640, 480]
    first = view["candidates"][0]
    assert (
        first["digit"] == 2
        and first["read"]
        and first["reason"] is None
        and first["confidence"] == view["reading"]["digits"][0]["confidence"]
        and first["top"][0][0] == "2"
        and len(first["top"]) == 3
    )
    assert all(view["pictures"][name].startswith("data:image/") for name in ("grey", "even", "ink"))


def test_a_mark_that_was_not_read_is_sent_with_its_reason(here):
    letter = np.full((480, 640), 230, np.uint8)
    cv2.putText(letter, "W", (200, 300), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 6, 30, 8, cv2.LINE_AA)
    view = here.ask("/api/read?stages", packed(letter)).json
    jsonschema.validate(view["reading"], SCHEMA)
    (unread,), (candidate,) = view["reading"]["unread"], view["candidates"]
    assert not candidate["read"] and candidate["box"] == unread["box"]
    assert candidate["reason"] == unread["reason"] == "no digit"
    assert 0 <= candidate["confidence"] < 0.5


def test_the_newest_reading_is_that_of_the_camera(here):
    reading = here.ask("/api/reading").json
    jsonschema.validate(reading, SCHEMA)
    assert reading["source"] == "synthetic:"


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 422, "is empty"),
        (b"hello", 422, "is not an image"),
        (b"\xff\xd8\xff\xe0", 422, "is not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "is not an image"),
    ],
)
def test_a_body_that_is_no_picture_gets_a_one_line_error(here, data, status, says):
    answer = here.ask("/api/read", data, "POST")
    assert answer.status == status and says in line_of(answer)


def test_too_many_bytes_are_refused_before_they_are_sent(here):
    with socket.create_connection(("127.0.0.1", here.port), 10) as link:
        link.sendall(b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99000000\r\n\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_form_is_refused_with_the_right_command(here):
    answer = here.ask("/api/read", b"x", Content_Type="multipart/form-data; boundary=b")
    assert answer.status == 415 and "--data-binary" in line_of(answer)


def resident(running):
    """Bytes of memory that the process has."""
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@pytest.mark.slow
def test_a_thousand_damaged_pictures_cause_no_failure_and_no_leak(here, page):
    chance = random.Random(1)
    whole = [
        packed(page("2357", height=120, width=160), suffix)
        for suffix in (".png", ".jpg", ".webp", ".bmp", ".tiff", ".pgm")
    ]

    def broken():
        data = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data)

    pictures = [broken() for _ in range(333)]

    def send():
        return {here.ask("/api/read", picture, "POST").status for picture in pictures}

    # What the libraries keep for later depends on what the camera's thread holds at that moment: twice reaches it.
    seen = send() | send()
    before = resident(here)
    seen |= send()
    assert seen <= {200, 413, 422}
    assert resident(here) - before < 15_000_000
    assert here.ask("/api/read", packed(page("41"))).json["text"] == "41"


# --- status, events, the page


def test_status_health_metrics_events_and_history(here):
    status = here.ask("/api/status").json
    assert (
        status["camera"] == "running" and status["rights"] == "view" and status["source"] == "synthetic:?fps=15&hold=30"
    )
    assert "edge_digits_frames_total" in here.ask("/metrics").body.decode()
    assert here.ask("/healthz").json["status"] == "ok"
    until = time.monotonic() + patience(10)
    while not (events := here.ask("/api/events?last=3").json["events"]) and time.monotonic() < until:
        time.sleep(0.1)
    assert events[0]["event"] in ("appeared", "changed") and len(events) <= 3
    rows = here.ask("/api/history?format=csv&since=1h").body.decode().splitlines()
    assert rows[0].startswith("at,device,") and len(rows) > 1
    assert json.loads(here.ask("/api/history").body.splitlines()[0])["event"] == "appeared"


@pytest.mark.parametrize(
    "path",
    [
        "/api/events?last=x",
        "/api/events?last=0",
        "/api/events?last=99999999",
        "/api/history?since=nonsense",
        "/api/history?format=x",
    ],
)
def test_a_wrong_query_gets_a_one_line_error(here, path):
    answer = here.ask(path)
    assert answer.status == 400 and line_of(answer)


def test_other_paths_are_not_found(here):
    for path in ("/api/nothing", "/page/../site.py", "/page/%2e%2e/site.py", "/etc/passwd"):
        assert here.ask(path).status == 404
    assert here.ask("/api/read").status == 405


def test_all_files_of_the_page_are_served_and_preloaded(here):
    names = {path.name for path in PAGE_FOLDER.iterdir()} - {"index.html"}
    for name in names:
        answer = here.ask(f"/page/{name}")
        assert (answer.status, answer.body) == (200, (PAGE_FOLDER / name).read_bytes())
        assert answer.headers["content-type"].split(";")[0] == PAGE_FILES[name]
    assert set(re.findall(r'(?:href|src)="/page/([^"]+)"', here.ask("/").body.decode())) == names == set(PAGE_FILES)
    assert sum(path.stat().st_size for path in PAGE_FOLDER.iterdir()) < 60_000


def stream(running, path, **headers):
    request = urllib.request.Request(running.url + path, headers=headers)
    return urllib.request.urlopen(request, timeout=patience(20))


def test_events_are_streamed_when_they_happen(here):
    with stream(here, "api/events", Accept="text/event-stream") as lines:
        told = next(json.loads(line[6:]) for line in lines if line.startswith(b"data: "))
    assert told["event"] in ("appeared", "changed", "cleared") and told["seq"] and told["boot_id"]


def test_frames_are_streamed_at_a_bounded_rate(here):
    begun, views = time.monotonic(), []
    with stream(here, "api/live") as lines:
        kind = ""
        for line in lines:
            if line.startswith(b"event: "):
                kind = line[7:].strip().decode()
            elif line.startswith(b"data: ") and kind == "view":
                views.append(json.loads(line[6:])["reading"]["frame"])
            if time.monotonic() - begun > 3:
                break
    assert 5 < len(views) < 3.5 * 8 + 2
    assert views == sorted(set(views)), "each frame once"


# --- teach and tune


def bearer(running, name="change"):
    return {"Authorization": f"Bearer {running.tokens()[name]}"}


def change(running, path, content=None, method="POST", **headers):
    data = None if content is None else json.dumps(content).encode()
    return running.ask(path, data, method, **(headers or bearer(running)))


def test_a_correction_is_stored_listed_exported_and_deleted(here, page, tmp_path, capsys):
    seen = here.ask("/api/read?stages", packed(page("27"))).json["candidates"][0]
    correction = {"label": 7, "read": 2, "confidence": 0.9, "source": "web", "model": "m", "glyph": seen["glyph"]}
    correction["source"] = "a\nb\x1b[31m\ud800"
    first = change(here, "/api/corrections", {**correction, "crop": seen["glyph"]})
    second = change(here, "/api/corrections", {**correction, "label": None})
    assert first.status == second.status == 201 and first.headers["location"].endswith(f"/{first.json['id']}")
    told = here.ask("/api/corrections").json
    assert {one["source"] for one in told["corrections"]} == {"a / b?[31m?"}, "as a terminal may show it"
    assert told["count"] == 2 and [one["label"] for one in told["corrections"]] == [None, 7], "newest first"
    assert told["corrections"][1]["glyph"].startswith("data:image/png;base64,")
    assert {"read": 2, "label": 7, "count": 1} in told["confusions"]
    out = tmp_path / "set"
    assert cli.main(["corrections", "export", "--state", str(here.state), str(out)]) == 0
    first_glyph, _, table = sorted(path.name for path in out.iterdir())
    assert table == "labels.csv"
    sent = np.frombuffer(base64.b64decode(seen["glyph"].partition(",")[2]), np.uint8)
    glyph = cv2.imread(str(out / first_glyph), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(glyph, cv2.imdecode(sent, cv2.IMREAD_UNCHANGED))
    for number in (first.json["id"], second.json["id"]):
        assert change(here, f"/api/corrections/{number}", method="DELETE").status == 204
        assert change(here, f"/api/corrections/{number}", method="DELETE").status == 404
    assert here.ask("/api/corrections").json["count"] == 0


GLYPH = "data:image/png;base64," + base64.b64encode(packed(np.zeros((28, 28), np.uint8))).decode()
WIDE = "data:image/png;base64," + base64.b64encode(packed(np.zeros((28, 29), np.uint8))).decode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "a JSON object"),
        ({"label": 7}, "label and glyph"),
        ({"label": 10, "glyph": GLYPH}, "label: must be a digit"),
        ({"label": True, "glyph": GLYPH}, "label: must be a digit"),
        ({"label": 7, "read": "1", "glyph": GLYPH}, "read: must be a digit"),
        ({"label": 7, "confidence": 2, "glyph": GLYPH}, "confidence"),
        ({"label": 7, "source": 7, "glyph": GLYPH}, "source: must be a name"),
        ({"label": 7, "model": "m" * 501, "glyph": GLYPH}, "model: must be a name"),
        ({"label": 7, "glyph": "seven"}, "glyph: must be a data URI"),
        ({"label": 7, "glyph": "data:image/png;base64,%%"}, "glyph: is not valid base64"),
        ({"label": 7, "glyph": WIDE}, "glyph: a glyph must be a grey PNG"),
        ({"label": 7, "glyph": GLYPH, "crop": 7}, "crop: must be a data URI"),
        ({"label": 7, "glyph": GLYPH, "colour": 7}, "colour: no such field"),
        ({"label": 7, "glyph": GLYPH, "\ud800": 7}, "\ud800: no such field"),
    ],
)
def test_a_wrong_correction_gets_a_one_line_error(here, content, says):
    answer = change(here, "/api/corrections", content)
    assert answer.status == 400 and says in line_of(answer)
    assert here.ask("/api/corrections").json["count"] == 0


@pytest.mark.parametrize("digits", [18, 19, 5000])
def test_a_number_that_no_correction_has_is_not_found(here, digits):
    for method in ("DELETE", "GET"):
        answer = here.ask(f"/api/corrections/{'9' * digits}", None, method, **bearer(here))
        assert answer.status == (405 if method == "GET" and digits == 18 else 404) and line_of(answer)


def test_deeply_nested_json_gets_a_one_line_error(here):
    for path, method in (("/api/corrections", "POST"), ("/api/vision", "PUT")):
        answer = here.ask(path, b"[" * 9_000, method, **bearer(here))
        assert answer.status == 400 and line_of(answer)
    assert here.ask("/api/login", b"[" * 999, "POST").status == 400


def test_the_right_to_view_does_not_allow_corrections_or_settings(here, elsewhere):
    for running, headers in ((here, {"Accept": "*/*"}), (elsewhere, bearer(elsewhere, "view"))):
        for path, method in (
            ("/api/corrections", "POST"),
            ("/api/corrections/1", "DELETE"),
            ("/api/vision", "PUT"),
            ("/api/vision/back", "POST"),
        ):
            answer = change(running, path, {}, method, **headers)
            assert answer.status == 403 and "edge token" in line_of(answer)
        assert running.ask("/api/vision", **headers).status == running.ask("/api/corrections", **headers).status == 200


def test_a_preview_of_settings_changes_nothing(here):
    before = here.ask("/api/vision").json
    assert before["vision"]["polarity"] == "auto" and not before["saved"]
    seen = here.ask("/api/vision/preview?polarity=light").json
    assert seen["reading"]["digits"] == [] and seen["pictures"]["ink"]
    assert here.ask("/api/vision/preview").json["reading"]["digits"]
    assert here.ask("/api/reading").json["digits"] and here.ask("/api/vision").json == before


@pytest.mark.parametrize("query", ["median=99", "medain=3", "polarity=pink", "level=x"])
def test_wrong_settings_get_a_one_line_error(here, query):
    answer = here.ask(f"/api/vision/preview?{query}")
    assert answer.status == 400 and "vision." in line_of(answer)
    name, _, value = query.partition("=")
    assert change(here, "/api/vision", {name: value}, "PUT").status == 400
    assert not (here.state / "vision.toml").exists()


def test_the_loop_uses_saved_and_restored_settings(here):
    def reads(digits):
        until = time.monotonic() + patience(10)
        while bool(here.ask("/api/reading").json["digits"]) != digits:
            assert time.monotonic() < until
            time.sleep(0.05)

    answer = change(here, "/api/vision", {"polarity": "light"}, "PUT").json
    assert answer["saved"] and answer["back"] and answer["vision"]["polarity"] == "light"
    reads(False)
    assert change(here, "/api/vision/back").json["vision"]["polarity"] == "auto"
    reads(True)
    assert change(here, "/api/vision/back").json["vision"]["polarity"] == "light"
    reads(False)
    assert not change(here, "/api/vision/back").json["saved"]
    reads(True)


def test_libjpeg_warnings_about_sent_pictures_are_not_logged(here, page):
    """``device`` fails if anything is printed on stderr."""
    data = bytearray(packed(page("2357"), ".jpg"))
    for place in range(400, len(data) - 2, 97):
        data[place] ^= 0xFF
    assert here.ask("/api/read", bytes(data)).status in (200, 422)


# --- access control


def test_requests_from_other_sites_are_refused(here, page):
    picture = packed(page("41"))
    assert here.ask("/api/read", picture, Origin="http://evil.example").status == 403
    assert here.ask("/api/read", picture, Origin="null").status == 403
    assert here.ask("/api/status", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert here.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    assert here.ask("/api/read", picture, Origin=f"http://127.0.0.1:{here.port}").status == 200
    assert "access-control-allow-origin" not in here.ask("/api/status").headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""])
def test_dns_rebinding_is_refused(here, host):
    assert here.ask("/api/status", Host=host).status in (400, 421)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "192.168.1.7:8080"])
def test_requests_by_its_own_names_are_accepted(here, host):
    assert here.ask("/api/status", Host=host).status == 200


def test_all_answers_have_security_headers(here):
    for path in ("/", "/api/status", "/api/nothing"):
        headers = here.ask(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff" and "server" not in headers


def test_other_machines_need_a_token(elsewhere, page):
    picture, token = packed(page("41")), elsewhere.tokens()["view"]
    for path in ("/api/status", "/api/reading", "/api/live", "/api/history", "/metrics"):
        assert elsewhere.ask(path).status == 401
    assert elsewhere.ask("/api/read", picture).status == 401
    assert elsewhere.ask("/").status == elsewhere.ask("/page/page.js").status == elsewhere.ask("/healthz").status == 200
    assert elsewhere.ask("/api/status", Authorization="Bearer wrong").status == 401
    assert elsewhere.ask("/api/status", Authorization=f"Bearer {token[:-1]}").status == 401
    assert elsewhere.ask("/api/read", picture, Authorization=f"Bearer {token}").json["text"] == "41"
    assert elsewhere.ask("/api/status", Authorization=f"Bearer {token}").json["rights"] == "view"
    both = elsewhere.tokens()["change"]
    assert elsewhere.ask("/api/status", Authorization=f"Bearer {both}").json["rights"] == "change"


def test_login_sets_a_cookie_that_scripts_cannot_read(elsewhere):
    token = elsewhere.tokens()["change"]
    answer = elsewhere.ask("/api/login", json.dumps({"token": token}).encode())
    cookie = answer.headers["set-cookie"]
    assert answer.json == {"rights": "change"} and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert elsewhere.ask("/api/status", Cookie=cookie.partition(";")[0]).json["rights"] == "change"
    # All ports of a machine share their cookies, and those of other programs may be malformed.
    others = 'prefs={"a":1}; x[]=,; ' + cookie.partition(";")[0]
    assert elsewhere.ask("/api/status", Cookie=others).json["rights"] == "change"
    for wrong in (b'{"token": "wrong"}', b'{"token": 7}', b"[]", b"", b"{", b'{"token": "\\ud800"}', b"x" * 5000):
        assert elsewhere.ask("/api/login", wrong, "POST").status in (400, 401, 413)


def test_the_token_to_view_allows_no_changes(elsewhere):
    token = elsewhere.tokens()["view"]
    assert elsewhere.ask("/api/anything", b"", "POST", Authorization=f"Bearer {token}").status == 403
    assert elsewhere.ask("/api/anything", b"", "DELETE", Authorization=f"Bearer {token}").status == 403


def test_idle_connections_are_limited(here):
    links = [socket.create_connection(("127.0.0.1", here.port), 5) for _ in range(200)]
    try:
        # Wait less than five seconds, because then all idle connections are closed anyway.
        time.sleep(min(patience(0.5), 3))
        assert len(list(Path(f"/proc/{here.process.pid}/fd").iterdir())) < 130
    finally:
        for link in links:
            link.close()
    time.sleep(0.3)
    assert here.ask("/healthz").status == 200


# --- single modules


def test_tokens_are_made_once_and_readable_only_by_their_user(tmp_path):
    tmp_path.chmod(0o755)
    made = load_tokens(tmp_path)
    assert load_tokens(tmp_path) == made and made.change != made.view and len(made.view) >= 32
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).chmod(0o644)
    assert load_tokens(tmp_path) == made and (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert (made.rights(made.change), made.rights(made.view), made.rights("ü")) == ("change", "view", "none")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"change": "short", "view": "short"}', '{"change": 1}'])
def test_damaged_tokens_give_a_one_line_error(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StateError, match="is damaged; remove it"):
        load_tokens(tmp_path)


def test_the_announced_address_is_the_one_that_it_listens_on(tmp_path, caplog, capfd):
    order = ["run", "--source", "synthetic:", "--web", "localhost:0", "--frames", "1", "--state", str(tmp_path)]
    assert cli.main(order) == 0
    assert re.search(r"the live page is at http://(127\.0\.0\.1|\[::1\]):\d+/", caplog.text)


def test_addresses():
    assert split_address("[::1]:8080", "web") == ("::1", 8080)
    assert split_address("[fe80::1%eth0.2_a-b]:0", "web") == ("fe80::1%eth0.2_a-b", 0)
    assert is_loopback("::1") and is_loopback("::1%lo") and is_loopback("localhost") and is_loopback("127.0.0.2")
    assert not is_loopback("0.0.0.0") and not is_loopback("192.168.1.7") and not is_loopback("shed")
    long = "a" * 70
    for wrong in ("8080", "a..b:80", f"{long}:80", "\udcff:80", "a\0b:80", ".a:80", "[::1%]:80", "[::1%a%b]:80"):
        with pytest.raises(SettingsError, match="web: .* such as 127.0.0.1:8080"):
            split_address(wrong, "web")


def test_a_large_picture_stays_within_the_memory_of_a_service(here):
    """A picture as large as those of telephones."""
    pixels = np.full((6000, 8000), 220, np.uint8)
    cv2.putText(pixels, "7", (3000, 4200), cv2.FONT_HERSHEY_SIMPLEX, 60, 30, 220)
    answer = here.ask("/api/read", packed(pixels, ".jpg"))
    assert answer.status == 200 and answer.json["text"] == "7"
    assert resident(here) < 400_000_000
