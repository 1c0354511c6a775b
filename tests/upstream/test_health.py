from sinkhole.upstream.health import Fault, Health


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_three_silences_in_a_row_mean_down() -> None:
    """R-C12: dead upstreams are marked."""
    health = Health(Clock())
    assert [health.failed(Fault.NO_ANSWER, 1.5) for _ in range(4)] == [False, False, True, False]
    assert health.is_down
    assert health.answered(0.01)
    assert not health.is_down


def test_an_answer_between_forgives() -> None:
    health = Health(Clock())
    for _ in range(10):
        health.failed(Fault.NO_ANSWER, 1.5)
        if health.is_down:
            break
        health.answered(0.01)
    assert not health.is_down


def test_bad_answers_count_less_than_silence() -> None:
    health = Health(Clock())
    assert [health.failed(Fault.BAD_ANSWER, 0.1) for _ in range(12)] == [False] * 11 + [True]
    assert health.round_trip is None


def test_round_trip_is_smoothed_and_failures_make_it_longer() -> None:
    health = Health(Clock())
    health.answered(0.08)
    health.answered(0.16)
    assert health.round_trip == 0.09
    health.failed(Fault.NO_ANSWER, 1.5)
    assert health.round_trip == 1.5
    for _ in range(5):
        health.failed(Fault.NO_ANSWER, 1.5)
    assert health.round_trip == 10.0


def test_probes_come_less_and_less_often() -> None:
    """R-C12: dead upstreams are probed again, half a minute apart at most."""
    clock = Clock()
    health = Health(clock)
    assert health.is_probe_due
    for _ in range(3):
        health.failed(Fault.NO_ANSWER, 1.5)
    assert not health.is_probe_due
    pauses = []
    for _ in range(8):
        before = clock.now
        while not health.is_probe_due:
            clock.now += 0.5
        pauses.append(clock.now - before)
        health.probing()
    assert pauses == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    health.answered(0.01)
    assert not health.is_probe_due
    clock.now += 60
    assert health.is_probe_due
