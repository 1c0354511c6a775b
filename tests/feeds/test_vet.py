"""Vetting: how much may change at once."""

import pytest

from sinkhole.config.schema import FeedSettings
from sinkhole.feeds.vet import Count, doubts

SETTINGS = FeedSettings()


@pytest.mark.parametrize(
    ("new", "good", "found"),
    [
        (Count(51, 0), Count(100, 0), ()),
        (Count(50, 0), Count(100, 0), ("it shrank from 100 to 50 rules",)),
        (Count(1, 0), Count(100, 0), ("it shrank from 100 to 1 rules",)),
        (Count(999, 0), Count(100, 0), ()),
        (Count(1000, 0), Count(100, 0), ("it grew from 100 to 1000 rules",)),
        (Count(1_000_000, 0), None, ()),
        (Count(100, 0), Count(0, 0), ()),
        (Count(100, 100), Count(100, 0), ()),
        (Count(100, 101), Count(100, 0), ("101 of 201 rows were rejected; is it of another format?",)),
        (Count(1, 2), None, ("2 of 3 rows were rejected; is it of another format?",)),
    ],
)
def test_large_changes_are_doubted(new: Count, good: Count | None, found: tuple[str, ...]) -> None:
    """R-F06."""
    assert doubts(new, good, SETTINGS) == found


def test_limits_of_change_are_settings() -> None:
    """R-F06: max_shrink and max_growth have effect."""
    settings = FeedSettings(max_shrink=0.1, max_growth=2)
    assert doubts(Count(90, 0), Count(100, 0), settings) == ("it shrank from 100 to 90 rules",)
    assert doubts(Count(200, 0), Count(100, 0), settings) == ("it grew from 100 to 200 rules",)
