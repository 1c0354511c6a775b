"""Words that pages are made of: labels of cells, sentences of previews, and what a field wants."""

import pytest
from markupsafe import Markup

from sinkhole.evidence.tables import heading, told
from sinkhole.web.pages.asked import plain
from sinkhole.web.pages.audit import brief
from sinkhole.web.pages.look import Outlook
from sinkhole.web.pages.render import labelled


def test_cells_name_their_columns_for_narrow_screens():
    rows = Markup('<tr class="over"><th scope="row">a</th><td class="n">1</td><td>&lt;td></td></tr><tr><td>2</td></tr>')
    found = labelled(rows, ["Vendor", 'A "b"'])
    assert found == (
        '<tr class="over"><th scope="row">a</th><td data-label="A &#34;b&#34;" class="n">1</td><td>&lt;td></td></tr>'
        '<tr><td data-label="Vendor">2</td></tr>'
    )


def test_groups_with_the_same_change_share_a_sentence():
    said = "15 known names allow -> block, such as api.example.org"
    many = [f"impact for group g{n}: 1 known name block -> allow, such as b.example" for n in range(14)]
    found = Outlook.of(
        ["impact 3 clients would be blocked", f"impact for clients in no group: {said}",
         f"impact for group lab: {said}", f"impact for group staff: {said}", *many, "it breaks the expectation x"],
    )  # fmt: skip
    assert found.said == (
        "3 clients would be blocked",
        "For clients in no group and groups lab, staff: 15 known names: allow → block, such as api.example.org",
        "For groups g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, g10, g11 and 2 more: "
        "1 known name: block → allow, such as b.example",
    )
    assert found.breaks == ("x",)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("form.scopes: List should have at least 1 item after validation, not 0", "scopes: name at least one"),
        ("query.k: Input should be a valid integer, unable to parse string as an integer", "k: wanted a whole number"),
        ("query.k: Input should be greater than or equal to 1", "k: wanted 1 or more"),
        ("query.span: Input should be '24h' or '7d'", "span: wanted '24h' or '7d'"),
        ("form.reason: String should have at most 500 characters", "reason: wanted at most 500 characters"),
    ],
)
def test_what_a_field_wants_is_told_without_words_of_programs(said, words):
    assert plain(said) == words


def test_reports_for_people_have_headings_and_no_codes_for_what_is_not_known():
    assert [heading(name) for name in ("name", "in", "first", "clients", "Aleph AI")] == [
        "Vendor", "Jurisdiction", "First", "Clients", "Aleph AI",
    ]  # fmt: skip
    assert (told("in", "ZZ"), told("in", "FR"), told("name", "ZZ")) == ("not known", "FR", "ZZ")


def test_times_of_the_audit_log_are_written_as_on_all_pages():
    before, after = {"decided": None}, {"decided": "2026-11-27 09:08:26+00:00"}
    assert brief(before, after) == "decided: none → 2026-11-27 09:08:26 UTC"
    assert (
        brief({"reason": "x"}, {"reason": "at 2026-11-27 09:08:26+00:00"}) == "reason: x → at 2026-11-27 09:08:26+00:00"
    )
