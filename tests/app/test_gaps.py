"""What of a statement DNS cannot reach."""

import pytest

from sinkhole.app.gaps import gap_of
from sinkhole.policy.subject import Subject
from tests.catalogue.world import shipped


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("product:xai/in-x", "DNS cannot tell Grok inside X apart, so this reaches no name. "),
        ("vendor:xai", "not covered, since DNS cannot tell it apart: Grok inside X"),
        ("models:openai", "My AI"),
        ("category:productivity", " more"),
        ("jurisdiction:CN", "not covered, since DNS cannot tell it apart: "),
    ],
)
def test_gap_is_one_sentence(subject, said):
    gap = gap_of(Subject.from_text(subject), shipped())
    assert gap is not None
    assert said in gap


@pytest.mark.parametrize("subject", ["vendor:deepseek", "domain:x.com", "feed:doh", "bypass:vpn", "lookalikes", "ai"])
def test_nothing_hidden_nothing_said(subject):
    assert gap_of(Subject.from_text(subject), shipped()) is None
