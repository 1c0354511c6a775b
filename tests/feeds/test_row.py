from sinkhole.feeds.row import SAMPLE_LENGTH, RowError, printable, reject


def test_samples_cannot_disturb_a_terminal_or_the_direction_of_a_page() -> None:
    """R-F14: what a list says is untrusted text."""
    assert printable("\x1b[31mred\u202e\n") == "\\x1b[31mred\\u202e\\n"
    assert printable("bücher.example") == "bücher.example"


def test_samples_are_cut() -> None:
    row = reject(RowError("why", 3), "x" * 1000, 7)
    assert (row.line, row.column, row.why, len(row.text)) == (7, 3, "why", SAMPLE_LENGTH)
    assert str(row) == "line 7, column 3: why"
