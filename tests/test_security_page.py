"""docs/security.md names the test of each requirement: those tests are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text()


def test_every_test_that_is_named_is_there():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and ".py" in line]
    assert len(rows) > 25
    for row in rows:
        for part in row.rsplit("|", 2)[1].split(";"):
            files = re.findall(r"[\w/]+\.py", part)
            assert files, row
            texts = [(TESTS / file).read_text() for file in files]
            for name in re.findall(r"`(test_\w+)`", part):
                assert any(f"def {name}(" in text for text in texts), (name, files)
