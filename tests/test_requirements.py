"""The page of duties is true: complete, each proof exists and names its duty, and no must is without a test."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.shared_data import SHARED, needs_shared

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "requirements.md"
COUNTS = {"W": 26, "T": 20, "C": 27, "B": 19, "L": 16, "F": 14, "D": 11, "P": 8, "O": 12}
ENCRYPTED = "the listeners for DoT and DoH are an issue of their own"
ELSEWHERE = {f"R-T{number}": ENCRYPTED for number in range(11, 20)}
"""Duties that this issue does not cover, and why; R-A, the admin interface, is not on the page at all."""


class Row(NamedTuple):
    """One line of the page."""

    id: str
    priority: str
    duty: str
    state: str
    proof: str


def rows() -> list[Row]:
    lines = PAGE.read_text().splitlines()
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("| R-")]
    return [Row(*(cell.strip() for cell in row)) for row in cells]


def duties_named_in_tests() -> set[str]:
    texts = (path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__))
    return {found for text in texts for found in re.findall(r"R-[A-Z]\d\d", text)}


def functions_of(path: Path) -> dict[str, str]:
    """Return the tests of a file by name, each with its docstring and that of the file."""
    tree = ast.parse(path.read_text())
    head = ast.get_docstring(tree) or ""
    return {
        node.name: head + (ast.get_docstring(node) or "")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_page_has_every_duty():
    assert [row.id for row in rows()] == [
        f"R-{section}{number:02}" for section, count in COUNTS.items() for number in range(1, count + 1)
    ]


@needs_shared
def test_page_says_what_was_gathered():
    """Texts and priorities are those of the paper that the duties come from."""
    paper = (SHARED / "requirements.md").read_text()
    gathered = re.findall(r"^\| (R-[^A]\d\d) \| (.*?) \| .* \| (must|should|could) \|$", paper, re.MULTILINE)
    assert [(row.id, row.duty, row.priority) for row in rows()] == gathered


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_proof_exists_and_names_its_duty(row):
    """A duty holds, holds in part, or waits for a later issue; what holds has a test."""
    kind = row.state.partition(":")[0].partition(" ")[0]
    assert kind in ("holds", "partly", "later")
    assert (kind == "later") is (row.id in ELSEWHERE)
    if row.priority == "must":
        assert kind == "holds" or row.id in ELSEWHERE
    proofs = re.findall(r"`([^`]+)::([^`]+)`", row.proof)
    assert bool(proofs) is (kind != "later")
    for path, name in proofs:
        assert name in functions_of(TESTS / path), f"{path} has no test {name}"
    assert not proofs or any(row.id in functions_of(TESTS / path)[name] for path, name in proofs)


def test_every_duty_is_named_in_a_test():
    """No must, and no should either, is without a test that names it."""
    missing = {row.id for row in rows()} - duties_named_in_tests() - set(ELSEWHERE)
    assert missing == set()
