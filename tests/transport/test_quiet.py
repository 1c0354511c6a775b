import logging

from sinkhole.log import Log
from sinkhole.transport.quiet import QuietLog


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_event_is_logged_once_in_a_while_with_the_number_left_out(caplog):
    """R-P07: log lines are rate limited."""
    clock = Clock()
    log = QuietLog(Log("transport"), clock, interval=60)
    for _ in range(10_000):
        log.warning("udp.odd", name="x")
    log.warning("udp.other")
    clock.now += 60
    log.warning("udp.odd", name="x")

    assert [r.message for r in caplog.records] == [
        "udp.odd name=x", "udp.other", "udp.odd name=x suppressed=9999",
    ]  # fmt: skip


def test_fields_cannot_forge_a_line(caplog):
    """R-P07: a newline in a name is escaped (CWE-117)."""
    QuietLog(Log("transport"), Clock()).warning("query.failed", name="a\nb level=error")

    assert "\n" not in caplog.records[0].message


def test_exceptions_are_limited_too(caplog):
    log = QuietLog(Log("transport"), Clock())
    for _ in range(3):
        try:
            raise KeyError("wrong")
        except KeyError:
            log.exception("query.failed")

    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.ERROR
    assert "KeyError" in caplog.text
