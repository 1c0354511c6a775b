"""Windows of latency are put into a table that tells servers apart by those that were disturbed least."""

import pytest

from bench import windows
from bench.windows import Window, share, table


def test_share_is_of_the_values_in_order():
    assert [share([5, 1, 4, 2, 3], part) for part in (0.1, 0.25, 0.5, 1)] == [1, 2, 3, 5]


def test_ratios_are_to_the_last_server():
    found = {
        "ours": [Window(0.05, p99, 0.2) for p99 in (0.3, 0.6, 9.0, 0.4)],
        "theirs": [Window(0.04, p99, 0.1) for p99 in (8.0, 0.2, 0.4, 0.3)],
    }
    heads, _, ours, theirs = table(found).splitlines()
    assert "p99, 10% of windows | p99, 25% of windows | p99, 50% of windows" in heads
    assert ours == "| ours | 0.300 | 0.400 | 0.600 | 1.50 · 1.33 · 1.50 | 0.050 | 20.0% |"
    assert theirs == "| theirs | 0.200 | 0.300 | 0.400 | 1.00 · 1.00 · 1.00 | 0.040 | 10.0% |"


@pytest.mark.parametrize("words", [["--peers", "nobody"], ["--windows", "0"], ["--seconds", "11"]])
def test_what_cannot_be_measured_is_refused(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        windows.main(words)
    assert "error:" in capsys.readouterr().err
