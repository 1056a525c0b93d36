from edge.system.backoff import Backoff


def test_pauses_double_within_their_upper_half_up_to_the_last():
    for _ in range(50):
        backoff = Backoff(1, 30)
        pauses = [backoff.pause() for _ in range(8)]
        assert all(most / 2 <= pause <= most for pause, most in zip(pauses, (1, 2, 4, 8, 16, 30, 30, 30), strict=True))
        backoff.reset()
        assert backoff.pause() <= 1
    assert len({round(Backoff(1, 30).pause(), 6) for _ in range(20)}) > 10
