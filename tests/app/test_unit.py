"""The unit of systemd lets the processes do what they do at their start: else systemd ends them."""

from pathlib import Path

UNIT = Path(__file__).parents[2] / "deploy" / "sinkhole.service"
OURS = {"setpriority", "sched_setattr"}
"""System calls of the product that are among `@resources`: `os.nice`, and the slice of a worker."""


def test_calls_of_groups_that_are_denied_are_permitted_again():
    filters = [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith("SystemCallFilter=")]
    denied = next(at for at, text in enumerate(filters) if text.startswith("~") and "@resources" in text)
    permitted = {call for text in filters[denied + 1 :] if not text.startswith("~") for call in text.split()}
    assert permitted >= OURS
    assert "SystemCallErrorNumber=EPERM" in UNIT.read_text().splitlines(), "another one is refused, not fatal"
