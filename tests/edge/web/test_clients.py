"""Who a client is, and how many of its requests are answered at once."""

import asyncio

import pytest

from edge.web.clients import (
    ALWAYS_ANSWERED,
    MAX_BUSY,
    MAX_BUSY_OF_CLIENT,
    MAX_BUSY_OF_CLIENT_WITHOUT_RIGHTS,
    MAX_BUSY_WITHOUT_RIGHTS,
    BusyLimit,
    client_of,
)


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1"),
        ("nonsense", ""),
    ],
)
def test_a_client_is_an_address_or_a_network(address, client):
    assert client_of((address, 1234)) == client
    assert client_of(None) == ""


class Held:
    """Requests to an application that does not answer until it is told to."""

    def __init__(self):
        self.go = asyncio.Event()
        self.limit = BusyLimit(self.application)
        self.tasks = []
        self.began = 0

    async def application(self, scope, receive, send):
        self.began += 1
        await self.go.wait()

    async def ask(self, client, path="/api/read", rights="view"):
        """The status of the answer, or None if the application has the request."""
        seen = []

        async def send(message):
            seen.append(message)

        scope = {"type": "http", "path": path, "client": (client, 1), "headers": [], "method": "GET", "rights": rights}
        self.tasks.append(asyncio.create_task(self.limit(scope, None, send)))
        await asyncio.sleep(0)
        return seen[0] if seen else None


def test_each_client_and_all_together_have_a_limit():
    async def run():
        held = Held()
        for number in range(MAX_BUSY):
            assert await held.ask(f"10.0.0.{number // MAX_BUSY_OF_CLIENT}") is None
        refused = await held.ask("10.0.0.99")
        assert refused["status"] == 503 and (b"retry-after", b"1") in refused["headers"]
        for path in ALWAYS_ANSWERED:
            assert await held.ask("10.0.0.99", path) is None
        held.go.set()
        await asyncio.gather(*held.tasks)
        assert await held.ask("10.0.0.99") is None
        await asyncio.gather(*held.tasks)

    asyncio.run(run())


def test_one_client_leaves_room_for_others():
    async def run():
        held = Held()
        seen = [await held.ask("10.0.0.1") for _ in range(MAX_BUSY_OF_CLIENT + 5)]
        assert [one["status"] for one in seen if one] == [503] * 5
        assert await held.ask("10.0.0.2") is None
        held.go.set()
        await asyncio.gather(*held.tasks)

    asyncio.run(run())


def test_those_without_rights_leave_room_for_those_with_rights():
    async def run():
        held = Held()
        for number in range(MAX_BUSY_WITHOUT_RIGHTS):
            client = f"10.0.0.{number // MAX_BUSY_OF_CLIENT_WITHOUT_RIGHTS}"
            path, rights = ("/", "none") if number % 2 else ("/api/login", "view")
            assert await held.ask(client, path, rights) is None
            if number == MAX_BUSY_OF_CLIENT_WITHOUT_RIGHTS - 1:
                assert (await held.ask(client, "/", "none"))["status"] == 503
        assert (await held.ask("10.0.0.99", "/", "none"))["status"] == 503
        assert await held.ask("10.0.0.0", "/") is None and await held.ask("10.0.0.99", "/", "change") is None
        held.go.set()
        await asyncio.gather(*held.tasks)

    asyncio.run(run())
