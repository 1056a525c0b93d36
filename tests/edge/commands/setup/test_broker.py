"""What a user may answer for a broker, and how one is found in the network."""

import pytest

from edge.commands.setup import broker as brokers
from edge.commands.setup import nearby
from edge.errors import SettingsError

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
