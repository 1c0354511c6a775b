"""What is learned of an upstream by its answers and failures."""

from sinkhole.upstream.health import Fault, Health


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


STARTED = -0.01
"""When what is answered at once was asked, where the clock stands at 0."""


def test_three_silences_in_a_row_mean_down() -> None:
    """R-C12: dead upstreams are marked."""
    health = Health(Clock())
    assert [health.failed(Fault.NO_ANSWER) for _ in range(4)] == [False, False, True, False]
    assert health.is_down
    assert health.answered(STARTED)
    assert not health.is_down


def test_an_answer_between_forgives() -> None:
    health = Health(Clock())
    for _ in range(10):
        health.failed(Fault.NO_ANSWER)
        if health.is_down:
            break
        health.answered(STARTED)
    assert not health.is_down


def test_bad_answers_count_less_than_silence() -> None:
    health = Health(Clock())
    assert [health.failed(Fault.BAD_ANSWER) for _ in range(12)] == [False] * 11 + [True]
    assert health.round_trip is None


def test_round_trip_is_smoothed() -> None:
    health = Health(Clock())
    health.answered(-0.08)
    health.answered(-0.16)
    assert health.round_trip == health.cost == 0.09


def test_silence_costs_a_second_until_the_next_answer() -> None:
    clock = Clock()
    health, unknown = Health(clock), Health(clock)
    health.answered(clock.now - 0.5)
    assert health.cost < unknown.cost
    health.failed(Fault.NO_ANSWER)
    assert unknown.cost < health.cost
    assert not health.is_probe_due
    clock.now += 1
    assert health.is_probe_due
    health.answered(clock.now - 0.5)
    assert health.cost == 0.5


def test_refusal_that_comes_quickly_is_no_speed() -> None:
    refusing, unknown = Health(Clock()), Health(Clock())
    refusing.failed(Fault.NO_ANSWER)
    assert unknown.cost < refusing.cost


def test_probes_come_less_and_less_often() -> None:
    """R-C12: dead upstreams are probed again, half a minute apart at most."""
    clock = Clock()
    health = Health(clock)
    assert health.is_probe_due
    health.answered(clock.now - 0.01)
    for _ in range(3):
        health.failed(Fault.NO_ANSWER)
    assert not health.is_probe_due
    pauses = []
    for _ in range(8):
        before = clock.now
        while not health.is_probe_due:
            clock.now += 0.5
        pauses.append(clock.now - before)
        health.probing()
        health.failed(Fault.NO_ANSWER)
    assert pauses == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    health.answered(clock.now - 0.01)
    assert not health.is_probe_due
    clock.now += 60
    assert health.is_probe_due
