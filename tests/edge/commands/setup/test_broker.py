"""What a user may answer for a broker, and how one is found in the network."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.commands.setup import broker as brokers
from edge.commands.setup import nearby
from edge.commands.setup.broker import Given, Secret
from edge.commands.setup.dialogue import Dialogue
from edge.errors import SettingsError
from tests.support.mosquitto import Broker, free_port, only_mosquitto, password_file

WRONG = ("bro ker", "http://broker", "broker:99999", "broker:port", "a..b", "mqtt://", "@", "a/#")


@pytest.mark.parametrize(
    ("answer", "uri"),
    [
        ("broker.local", "mqtt://broker.local/edge-digits"),
        ("broker:1884", "mqtt://broker:1884/edge-digits"),
        ("broker:8883", "mqtts://broker:8883/edge-digits"),
        ("192.168.1.7", "mqtt://192.168.1.7/edge-digits"),
        ("fe80::1", "mqtt://[fe80::1]/edge-digits"),
        ("[fe80::1]:8883", "mqtts://[fe80::1]:8883/edge-digits"),
        ("joe@broker/home/desk", "mqtt://joe@broker/home/desk"),
        ("mqtts://broker?ca=ca.pem", "mqtts://broker?ca=ca.pem"),
        ("none", ""),
        ("-", ""),
    ],
)
def test_a_broker_is_named_in_any_usual_way(answer: str, uri: str) -> None:
    assert brokers.broker_uri(answer) == uri


@pytest.mark.parametrize(
    "answer", ["bro ker", "http://broker", "broker:99999", "broker:port", "a..b", "mqtt://", "@", "a/#"]
)
def test_what_names_no_broker_is_refused(answer: str) -> None:
    with pytest.raises(SettingsError):
        brokers.broker_uri(answer)


BROWSED = r"""+;eth0;IPv6;Mosquitto\032on\032nas;_mqtt._tcp;local
=;eth0;IPv4;Mosquitto\032on\032nas;_mqtt._tcp;local;nas.local;192.168.1.5;{port};"a;b"
=;eth0;IPv4;other;_mqtt._tcp;local;other.local;192.168.1.6;1884;
"""


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (BROWSED.format(port=1883), "nas.local"),
        (BROWSED.format(port=8883), "nas.local:8883"),
        ("", ""),
        ("=;eth0;IPv4;x;_mqtt._tcp;local;a\x1b[2Jb;192.168.1.5;1883;\n", ""),
        ("=;eth0\n", ""),
    ],
)
def test_a_broker_that_announces_itself_is_suggested(printed: str, found: str) -> None:
    assert nearby.announced_broker(printed) == found


def choose(
    monkeypatch: pytest.MonkeyPatch,
    *answers: str,
    given: Given | None = None,
    current: str = "",
    suggestion: str = "",
    folder: Path = Path("/x"),
) -> brokers.Broker | None:
    """What these answers choose, where no broker is on this machine."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    monkeypatch.setattr(brokers, "LOCAL", f"127.0.0.1:{free_port()}")
    secret = Secret(folder / "mqtt-password", by_systemd=False)
    return brokers.choose_broker(Dialogue(), given or Given(), current, secret, lambda: suggestion)


@only_mosquitto("has no TLS")
def test_tls_is_found_and_its_authority_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    made = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", *made]
    subprocess.run(command, check=True, capture_output=True)
    files = [f"{name} {tmp_path}/{file}.pem" for name, file in (("certfile", "ca"), ("keyfile", "key"))]
    broker = Broker(tmp_path / "broker", *files)
    try:
        place = f"127.0.0.1:{broker.port}"
        chosen = choose(monkeypatch, place, "n", f"mqtts://{place}?ca={tmp_path}/ca.pem")
        assert chosen and chosen.uri == f"mqtts://{place}?ca={tmp_path}/ca.pem" and chosen.new_password is None
        shown = capsys.readouterr().out
        assert "certificate is not trusted" in shown and "?ca=FILE" in shown and f"mqtts://{place} (MQTT 5)" in shown
    finally:
        broker.kill()


@only_mosquitto("has no passwords")
def test_a_login_that_is_kept_is_used_and_another_broker_may_be_named_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broker").mkdir()
    passwords = password_file(tmp_path / "broker" / "passwords", joe="pw")
    broker = Broker(tmp_path / "broker", "allow_anonymous false", f"password_file {passwords}")
    try:
        current = f"mqtt://joe@127.0.0.1:{broker.port}/home?home_assistant=off"
        (tmp_path / "mqtt-password").write_text("pw\n")
        kept = choose(monkeypatch, "", current=current, folder=tmp_path)
        assert kept and (kept.uri, kept.address.password, kept.new_password) == (current, "pw", None)
        (tmp_path / "mqtt-password").write_text("old\n")
        again = choose(monkeypatch, "", "", "pw", current=current, folder=tmp_path)
        assert again and again.new_password == "pw"
        assert again.uri == f"{current}&password_file={tmp_path}/mqtt-password"
        assert choose(monkeypatch, "", "-", "none", current=current, folder=tmp_path) is None
    finally:
        broker.kill()


def test_the_password_of_a_given_user_is_asked_for_unless_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"127.0.0.1:{free_port()}"
    (tmp_path / "mqtt-password").write_text("kept\n")
    asked = choose(monkeypatch, "typed", "y", given=Given(place, "joe"), folder=tmp_path)
    assert asked and (asked.address.password, asked.new_password) == ("typed", "typed")
    kept = choose(monkeypatch, "", "y", given=Given(user="joe"), current=f"mqtt://joe@{place}/home", folder=tmp_path)
    assert kept and (kept.address.password, kept.new_password) == ("kept", None)


def test_a_broker_in_the_network_is_suggested_and_used_only_if_that_is_confirmed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose(monkeypatch, "none", suggestion="nas.local") is None
    assert "[nas.local]" in capsys.readouterr().out
    port = free_port()
    chosen = choose(monkeypatch, "", "y", suggestion=f"127.0.0.1:{port}")
    assert chosen and chosen.uri == f"mqtt://127.0.0.1:{port}/edge-digits"
