"""MQTT delivery while the broker is away, killed, silent or slow, or refuses messages."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from edge.controls import Program
from edge.errors import PublishError
from edge.mqtt import connection
from edge.mqtt.address import parse
from edge.publishers import courier, open_publisher
from edge.store.store import Store
from edge.types import Notice
from tests.faults.delivery import deliver
from tests.support.mosquitto import Broker, Listener, Wire, body, eventually, free_port, only_mosquitto, password_file
from tests.support.patience import patience


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Nobody waits half a minute for a test."""
    real = courier.Backoff
    monkeypatch.setattr(courier, "RECOVERY_SECONDS", 0.2)
    monkeypatch.setattr(courier, "Backoff", lambda: real(0.05, 0.2))
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(connection, "ACK_SECONDS", 1.0)


class Device:
    """A store and a courier; says numbered notices."""

    def __init__(self, folder):
        self.store = Store(folder / "events.db", device="desk")
        self.said = 0
        self.courier = None

    def carry(self, uri):
        self.courier = open_publisher(uri, program=Program(device="desk"), outlet=self.store.outlet)
        return self.courier

    def say(self, many=1, size=0):
        for _ in range(many):
            self.said += 1
            reason = f"{self.said}" + "x" * size
            self.store.append(Notice("model", "refused", "m", datetime.now(UTC), reason))

    def problem(self, part):
        return eventually(lambda: part in self.courier.delivery().problem and self.courier.delivery().problem)

    def close(self):
        if self.courier:
            self.courier.close()
        self.store.close()


@pytest.fixture
def device(tmp_path):
    one = Device(tmp_path)
    yield one
    one.close()


@pytest.fixture
def start(tmp_path):
    started = []

    def make(*lines, name="broker"):
        started.append(Broker(tmp_path / name, *lines))
        return started[-1]

    yield make
    for one in started:
        one.kill()


@pytest.fixture
def wire():
    made = []

    def make(port):
        made.append(Wire(port))
        return made[-1]

    yield make
    for one in made:
        one.close()


def numbers(listener, until):
    """What arrives, up to a number: the numbers in order, and a repeat only with the key it had before."""
    keys, got = {}, []
    while not got or max(got) < until:
        stored = body(listener.next("/notice"))
        number = int(stored["reason"].rstrip("x"))
        key = (stored["boot_id"], stored["seq"])
        assert keys.setdefault(number, key) == key
        got.append(number)
    return got


def first_of_each(got):
    return list(dict.fromkeys(got))


def test_a_broker_that_comes_later_gets_everything(device, tmp_path, start, caplog):
    there = start()
    there.kill()
    device.carry(f"mqtt://127.0.0.1:{there.port}/home")
    device.say(50)
    device.problem("nothing listens on 127.0.0.1:")
    said = eventually(lambda: caplog.messages)[0]
    assert said.endswith("; is the broker running? (retrying until it works)") and said.count(";") == 1
    there.start()
    eventually(lambda: device.courier.delivery().backlog == 0)
    eventually(lambda: len(caplog.records) == 2)
    assert caplog.messages[1].endswith("works again; events that were waiting: 50")


@only_mosquitto("may lose what it has acknowledged when it is killed")
@pytest.mark.parametrize("version", ["5", "3"])
def test_killed_in_the_middle_of_bursts_it_gets_everything_in_order(device, start, wire, version):
    there = start("max_inflight_messages 0", "max_queued_messages 0")
    way = wire(there.port)
    device.carry(f"mqtt://127.0.0.1:{way.port}/home?version={version}")
    eventually(lambda: device.courier.delivery().connected)
    with Listener(there.port, "home/desk/notice", name="judge") as judge:
        got = []
        for _ in range(4):
            device.say(150)
            got += numbers(judge, until=len(got) // 2 + 5)
            # The judge has to be back before the device is: what a broker has said yes to and then forgets is its own.
            way.open = False
            there.kill()
            device.say(50)
            way.cut()
            eventually(lambda: not judge.paho.is_connected())
            there.start()
            judge.ready()
            way.open = True
        got += numbers(judge, until=800)
    assert first_of_each(got) == list(range(1, 801))
    assert device.courier.delivery().refused == 0


def test_a_connection_without_acknowledgements_is_given_up_and_nothing_is_lost(device, start, wire):
    there = start()
    way = wire(there.port)
    with Listener(there.port, "home/desk/notice") as judge:
        device.carry(f"mqtt://127.0.0.1:{way.port}/home")
        eventually(lambda: device.courier.delivery().connected)
        way.hole = True
        device.say(30)
        assert "has not acknowledged a message for 1 s" in device.problem("acknowledged")
        way.cut()
        way.hole = False
        assert first_of_each(numbers(judge, until=30)) == list(range(1, 31))


def test_a_silent_server_is_reported(device):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        device.carry(f"mqtt://127.0.0.1:{deaf.getsockname()[1]}/home")
        assert device.problem("does not answer; is it a broker?")
        began = time.monotonic()
        device.courier.close()
        assert time.monotonic() - began < patience(5)


def test_a_slow_network_is_no_failure(device, start, wire):
    there = start()
    way = wire(there.port)
    with Listener(there.port, "home/desk/notice") as judge:
        device.carry(f"mqtt://127.0.0.1:{way.port}/home?home_assistant=off")
        eventually(lambda: device.courier.delivery().connected)
        way.bytes_a_second = 20_000
        device.say(40)
        assert numbers(judge, until=40) == list(range(1, 41))
    assert device.courier.delivery().failures == 0


def test_publishing_does_not_wait_for_a_broker_that_does_not_answer(device, start, wire):
    there = start()
    way = wire(there.port)
    device.carry(f"mqtt://127.0.0.1:{way.port}/home")
    eventually(lambda: device.courier.delivery().connected)
    way.hole = True
    device.say(500)
    # All of it is in the store already, and none of it is there.
    assert device.courier.delivery().backlog >= 480


def test_a_wrong_password_is_reported_with_what_to_do_and_never_shown(device, start, tmp_path, caplog, capfd):
    passwords = password_file(tmp_path / "passwords", joe="secret-right")
    there = start("allow_anonymous false", f"password_file {passwords}")
    with pytest.raises(PublishError, match="refuses clients without a user"):
        connection.probe(parse(f"//127.0.0.1:{there.port}/home"))
    given = tmp_path / "given"
    given.write_text("secret-wrong\n")
    device.carry(f"mqtt://joe@127.0.0.1:{there.port}/home?password_file={given}")
    device.say(3)
    problem = device.problem("refuses user 'joe' or its password")
    assert "password_file=FILE or systemd's credential mqtt-password" in problem
    assert problem.count(";") == 1
    # Mended while it runs: the file is read anew.
    given.write_text("secret-right\n")
    eventually(lambda: device.courier.delivery().backlog == 0)
    assert "secret" not in caplog.text + "".join(capfd.readouterr())
    assert "secret" not in repr(vars(device.courier._channel))


def test_the_password_may_be_systemds_credential_or_in_the_uri(device, start, tmp_path, monkeypatch):
    passwords = password_file(tmp_path / "passwords", joe="a/b@c")
    there = start("allow_anonymous false", f"password_file {passwords}")
    place = f"127.0.0.1:{there.port}/home"
    assert connection.probe(parse(f"//joe:a/b@c@{place}")) == "MQTT 5"
    assert connection.probe(parse(f"//joe:a/b@c@{place}", version=3)) == "MQTT 3.1.1"
    (tmp_path / "mqtt-password").write_text("a/b@c\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert connection.probe(parse(f"//joe@{place}"))
    with pytest.raises(PublishError, match="password file /nowhere/file: cannot be read"):
        connection.probe(parse(f"//joe@{place}", password_file="/nowhere/file"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority made here, and what it signed for 127.0.0.1."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
        )
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "30", "-out", f"{name}.pem", "-extfile", "names"),
        )
    for file in folder.iterdir():
        file.chmod(0o644)
    folder.chmod(0o755)
    return folder


def test_tls_with_an_authority_and_a_certificate_of_ones_own(device, start, certificates):
    c = certificates
    there = start(
        f"cafile {c}/ca.pem", f"certfile {c}/server.pem", f"keyfile {c}/server.key", "require_certificate true"
    )
    place = f"//127.0.0.1:{there.port}/home"
    ours = {"cert": f"{c}/client.pem", "key": f"{c}/client.key"}
    assert connection.probe(parse(place, secure=True, ca=f"{c}/ca.pem", **ours)) == "MQTT 5"
    for given, problem in (
        ({}, "certificate is not trusted .*give the authority that signed it: .ca=FILE"),
        ({"ca": f"{c}/other.pem"}, "certificate is not trusted .*/other.pem has not signed it"),
        ({"ca": f"{c}/ca.pem"}, "cert="),
        ({"ca": "/nowhere.pem"}, "ca=/nowhere.pem: cannot be read"),
        ({"ca": f"{c}/names"}, "ca=.*/names: is not a valid PEM file"),
        ({"ca": f"{c}/ca.pem", "cert": "/nowhere.pem"}, "cert=/nowhere.pem: cannot be read"),
    ):
        with pytest.raises(PublishError, match=problem) as error:
            connection.probe(parse(place, secure=True, **given))
        assert "\n" not in str(error.value)
    with pytest.raises(PublishError, match=r"is not trusted \(Hostname mismatch.*\); use a name that is in it"):
        connection.probe(parse(f"//localhost:{there.port}/home", secure=True, ca=f"{c}/ca.pem", **ours))
    for version in (0, 3, 5):
        with pytest.raises(PublishError, match=r"127\.0\.0\.1:\d+ seems to require TLS; use mqtts://"):
            connection.probe(parse(place, version=version))
    device.carry(f"mqtts:{place}?ca={c}/ca.pem&cert={c}/client.pem&key={c}/client.key")
    device.say(3)
    eventually(lambda: device.courier.delivery().sent == 3)


@only_mosquitto("waits for more of what it cannot understand")
def test_tls_to_a_port_without_tls(start):
    there = start()
    with pytest.raises(PublishError, match=r"127\.0\.0\.1:\d+ seems not to use TLS; check the port, or use mqtt://"):
        connection.probe(parse(f"//127.0.0.1:{there.port}/home", secure=True))


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("//no-such-host.invalid/home", "there is no computer called 'no-such-host.invalid'"),
        (f"//127.0.0.1:{free_port()}/home", "nothing listens on 127.0.0.1:"),
    ],
    ids=["name", "port"],
)
def test_without_a_broker_the_error_says_what_to_check(what, problem):
    with pytest.raises(PublishError, match=problem):
        connection.probe(parse(what))


def test_a_message_too_large_for_the_broker_is_dropped_counted_and_logged_and_the_rest_arrives(device, start, caplog):
    there = start("max_packet_size 2000")
    with Listener(there.port, "home/desk/notice") as judge:
        device.carry(f"mqtt://127.0.0.1:{there.port}/home?home_assistant=off")
        eventually(lambda: device.courier.delivery().connected)
        device.say()
        device.say(size=3000)
        device.say()
        assert numbers(judge, until=3) == [1, 3]
    eventually(lambda: device.courier.delivery().backlog == 0)
    assert (device.courier.delivery().sent, device.courier.delivery().refused) == (2, 1)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "too large for the broker (3," in line and "; dropped: boot_id" in line


def test_without_write_access_nothing_is_dropped_and_the_error_says_so(device, start, tmp_path):
    rights = tmp_path / "acl"
    rights.write_text("topic read #\n")
    rights.chmod(0o600)
    there = start(f"acl_file {rights}")
    device.carry(f"mqtt://127.0.0.1:{there.port}/home")
    device.say(5)
    assert "the broker does not let us write to home/desk/#" in device.problem("let us write")
    assert device.courier.delivery().backlog == 5 and device.courier.delivery().refused == 0


@only_mosquitto("lets two clients have one name")
def test_a_second_client_with_the_same_id_is_reported(device, start, tmp_path, caplog):
    there = start()
    device.carry(f"mqtt://127.0.0.1:{there.port}/home")
    eventually(lambda: device.courier.delivery().connected)
    (tmp_path / "two").mkdir()
    two = Device(tmp_path / "two")
    try:
        two.carry(f"mqtt://127.0.0.1:{there.port}/home")
        eventually(lambda: "does another program use the same client id, edge-digits-desk-home?" in caplog.text)
    finally:
        two.close()


@pytest.mark.parametrize("manner", ["says so", "hangs up"])
def test_an_old_broker_gets_mqtt_3_1_1(start, manner):
    there = start()
    versions = []

    def old(server):
        # What an old broker does with a CONNECT of a version it does not know; others go on to the real one.
        for _ in range(2):
            near, _ = server.accept()
            hello = near.recv(4096)
            versions.append(hello[hello.index(b"MQTT") + 4])
            if versions[-1] == 5:
                if manner == "says so":
                    near.sendall(b"\x20\x02\x00\x01")
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", there.port))
            far.sendall(hello)
            near.sendall(far.recv(4096))
            near.recv(4096)
            far.close()
            near.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=old, args=(server,), daemon=True).start()
        assert connection.probe(parse(f"//127.0.0.1:{server.getsockname()[1]}/home")) == "MQTT 3.1.1"
    assert versions == [5, 4]


class Deaf:
    """A server that accepts connections and never answers."""

    def __init__(self):
        self.heard = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                self.heard.append((near, near.recv(65536)))

    def close(self):
        self._server.close()
        for near, _ in self.heard:
            near.close()


def test_several_hanging_far_sides_do_not_delay_the_end(tmp_path, capsys):
    """SIGTERM while an MQTT broker and two webhooks hang: the service has one second in all."""
    deaf = [Deaf() for _ in range(3)]
    schemes = [f"mqtt://127.0.0.1:{deaf[0].port}/home", *(f"http://127.0.0.1:{one.port}/" for one in deaf[1:])]
    command = [sys.executable, "-m", "edge.cli", "run", "--source", "synthetic:?fps=20&hold=30&difficulty=0&seed=3"]
    command += ["--state", str(tmp_path)]
    for scheme in schemes:
        command += ["--publish", scheme]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            eventually(lambda: all(one.heard for one in deaf))
            began = time.monotonic()
            running.terminate()
            assert running.wait(patience(20)) == 0
            seconds = time.monotonic() - began
        finally:
            running.kill()
    for one in deaf:
        one.close()
    assert all(one.heard[0][1].startswith(b"POST") for one in deaf[1:])
    with capsys.disabled():
        sys.stdout.write(f" SIGTERM to exit with three that hang: {seconds:.2f} s ")
    assert seconds < patience(5)


@only_mosquitto("forgets its sessions when it is killed")
def test_killed_again_and_again_on_both_sides_everything_arrives_in_order(tmp_path):
    """In full, with 10,000 events and 20 kills: python -m tests.faults.delivery."""
    outcome = deliver(tmp_path, events=600, kills=4, broker_kills=1, holes=1, rate=200, seed=7)
    assert (outcome.lost, outcome.early, outcome.strange) == (0, 0, 0)
