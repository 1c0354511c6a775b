"""Who wanted a block, and what clients are told of it."""

from datetime import timedelta

import pytest

from sinkhole.policy.basis import Basis
from tests.policy.world import NOW, decide, make_policy, statement


@pytest.mark.parametrize(("basis", "code"), [("operator", 15), ("law", 16), ("request", 17)])
def test_each_basis_has_its_extended_error(basis, code):
    """RFC 8914, sections 4.16 to 4.18."""
    assert Basis(basis).ede == code


def test_verdict_tells_basis_and_end_of_its_statement():
    until = NOW + timedelta(days=1)
    said = statement(1, "block vendor:deepseek", basis=Basis.LAW, expires=until)
    verdict = decide(make_policy([said]), "chat.deepseek.example")
    assert (verdict.basis, verdict.until) == (Basis.LAW, until)
    assert decide(make_policy(["block ai"]), "chat.deepseek.example").basis is None
