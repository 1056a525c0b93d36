"""Wrong tokens are limited for each client, and forgiven after a while."""

from edge.web.attempts import FORGIVEN_SECONDS, MAX_CLIENTS, MAX_WRONG, Attempts


def test_a_client_that_guesses_has_to_wait_and_no_other():
    attempts = Attempts()
    for _ in range(MAX_WRONG):
        assert attempts.wait_seconds("10.0.0.1", 100.0) == 0
        attempts.add("10.0.0.1", 100.0)
    assert attempts.wait_seconds("10.0.0.1", 100.0) == FORGIVEN_SECONDS
    assert attempts.wait_seconds("10.0.0.2", 100.0) == 0


def test_it_waits_no_longer_however_long_it_guessed():
    attempts, now, tried = Attempts(), 0.0, 0
    while now < 3600:
        if not attempts.wait_seconds("10.0.0.1", now):
            attempts.add("10.0.0.1", now)
            tried += 1
        now += 0.25
    assert tried <= MAX_WRONG + 3600 / FORGIVEN_SECONDS
    assert attempts.wait_seconds("10.0.0.1", now) <= FORGIVEN_SECONDS
    assert attempts.wait_seconds("10.0.0.1", now + MAX_WRONG * FORGIVEN_SECONDS) == 0


def test_few_clients_are_remembered():
    attempts = Attempts()
    for number in range(MAX_CLIENTS + 100):
        attempts.add(f"client {number}", number / 1000)
    assert len(attempts._forgiven) == MAX_CLIENTS
    assert attempts._forgiven.get(f"client {MAX_CLIENTS + 99}")
