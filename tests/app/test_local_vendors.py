"""Local vendor files join the catalogue; what is wrong with one is told with its line and breaks nothing else."""

from dataclasses import replace

import pytest

from sinkhole.app.local_vendors import NO_LOCAL, join, local_files
from sinkhole.catalogue.author import vendor_text
from sinkhole.catalogue.search import Owners
from sinkhole.feeds.guard import Guard
from sinkhole.policy.vendor import DomainMatch
from tests.catalogue.small import domain, product, small, vendor

NOVEL = replace(vendor("novel", product("novel/chat", domain("novel.example"))), name="Novel")


def file(found) -> dict[str, bytes]:
    return {f"{found.id}.toml": vendor_text(found).encode()}


def joined(*files, catalogue=None, hosts=()):
    base = small() if catalogue is None else catalogue
    merged = {name: data for one in files for name, data in one.items()}
    return join(base, merged, lambda: Guard(base.vetoes, hosts))


def owner(catalogue, name: str) -> str | None:
    return Owners(catalogue).of(name)


def test_without_files_the_catalogue_is_the_same():
    base = small()
    assert joined(catalogue=base) == (base, NO_LOCAL)


def test_vendor_joins_and_is_known():
    catalogue, local = joined(file(NOVEL))
    assert owner(catalogue, "www.novel.example") == "novel/chat"
    assert local.domains == (("novel.example", "novel/chat"),)
    assert (local.faults, local.superseded) == ((), ())
    assert [one.id for one in catalogue.vendors] == sorted(one.id for one in catalogue.vendors)
    assert catalogue.fingerprint != small().fingerprint


def test_domains_join_a_product_of_the_catalogue_and_the_rest_of_it_stays():
    more = replace(small().by_id["acme"], products=(
        product("acme/chat", domain("more.example"), categories=["api"]), product("acme/new", domain("new.example")),
    ))  # fmt: skip
    catalogue, local = joined(file(more))
    acme = catalogue.by_id["acme"]
    assert [one.id for one in acme.products] == ["acme/chat", "acme/new"]
    assert acme.products[0].categories == ("chat",)
    assert {"acme.example", "more.example"} <= {one.name for one in acme.products[0].domains}
    assert local.faults == ()


def test_products_of_one_slug_are_one():
    text = vendor_text(NOVEL)
    again = text[text.index("\n[[products]]") :].replace("novel.example", "b.example")
    catalogue, local = joined({"novel.toml": (text + again).encode()})
    assert local.faults == ()
    (one,) = catalogue.by_id["novel"].products
    assert [d.name for d in one.domains] == ["novel.example", "b.example"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text.replace('id = "novel"', 'id = "other-id"'),
            "novel.toml: line 1: id: is 'other-id', so the file",
        ),
        (lambda text: text.replace('kind = "ai_native"', "kind = 3"), "novel.toml: line 3: kind: "),
        (lambda text: text.replace('categories = ["chat"]', "categories = []"), "novel.toml: line "),
        (lambda text: text.replace('categories = ["chat"]', 'categories = ["none"]'), "category 'none' is not in"),
        (lambda text: text + "[[", "novel.toml: line "),
        (lambda text: "x = " + "[" * 100_000, "novel.toml: "),
        (lambda text: text.replace("confidence", "konfidenz"), "novel.toml: "),
        (lambda text: text.encode() + b'note = "\xff"\n', "novel.toml: "),
        (lambda text: None, "novel.toml: cannot be read; wanted a file of at most"),
        (lambda text: "", "novel.toml: "),
    ],
)
def test_broken_file_is_told_with_its_line_and_the_others_hold(change, said):
    changed = change(vendor_text(NOVEL))
    data = changed.encode() if isinstance(changed, str) else changed
    good = replace(vendor("good", product("good/chat", domain("good.example"))), name="Good")
    catalogue, local = joined(file(good), {"novel.toml": data})
    assert any(said in fault for fault in local.faults), local.faults
    assert local.domains == (("good.example", "good/chat"),)
    assert owner(catalogue, "novel.example") is None
    assert owner(catalogue, "acme.example") == "acme/chat"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (domain("protected.example"), "is on never-block.txt"),
        (domain("shared.example"), "protected: it would block shared.example, which is never blocked"),
        (domain("lists.example"), "protected: it would block lists.example, where lists or answers are fetched from"),
        (domain("org"), "is a public suffix"),
        (domain("co.uk"), "is a public suffix"),
        (domain("*.example", DomainMatch.WILDCARD), "is a public suffix"),
        (domain("Upper.example"), "is not in lower case"),
        (replace(domain("future.example"), first_seen="2999-01-01", last_confirmed="2999-01-01"), "is in the future"),
    ],
)
def test_domain_that_may_not_be_listed_is_left_out_alone(bad, said):
    """A name that is never blocked can be hit by no local file; the other domains of the file hold."""
    both = replace(NOVEL, products=(product("novel/chat", domain("novel.example"), bad),))
    catalogue, local = joined(file(both), hosts=["lists.example"])
    assert any(said in fault for fault in local.faults), local.faults
    assert all(fault.startswith("novel.toml: line ") for fault in local.faults)
    assert local.domains == (("novel.example", "novel/chat"),)
    assert owner(catalogue, bad.name) is None


def test_parent_of_a_name_that_is_never_blocked_is_left_out():
    above = replace(NOVEL, products=(product("novel/chat", domain("update.example")),))
    _, local = joined(file(above), catalogue=small(never_block=["a.update.example"]))
    assert "it would block a.update.example, which is never blocked" in local.faults[0]
    assert local.domains == ()


def test_what_the_catalogue_has_by_now_wins_and_is_told():
    theirs = replace(NOVEL, products=(product("novel/chat", domain("acme.example"), domain("x.acme-cdn.example"),
                                              domain("y.proxy.example"), domain("novel.example")),))  # fmt: skip
    catalogue, local = joined(file(theirs))
    assert owner(catalogue, "acme.example") == "acme/chat"
    assert owner(catalogue, "y.proxy.example") == "bypass:proxies"
    assert local.domains == (("novel.example", "novel/chat"),)
    assert [one.partition("; ")[0] for one in local.superseded] == [
        "novel.toml: novel/chat: acme.example: is in the catalogue, as one of acme/chat",
        "novel.toml: novel/chat: x.acme-cdn.example: is in the catalogue, as one of acme/chat",
        "novel.toml: novel/chat: y.proxy.example: is in the catalogue, as one of bypass:proxies",
    ]


def test_vendor_of_which_all_is_superseded_is_no_vendor():
    theirs = replace(NOVEL, products=(product("novel/chat", domain("acme.example")),))
    catalogue, local = joined(file(theirs))
    assert "novel" not in catalogue.by_id
    assert len(local.superseded) == 1


def test_the_first_of_two_files_with_a_domain_counts():
    second = replace(vendor("second", product("second/chat", domain("novel.example"))), name="Second")
    _, local = joined(file(NOVEL), file(second))
    assert local.domains == (("novel.example", "novel/chat"),)
    assert "is in the local product novel/chat" in local.superseded[0]


def test_files_are_read_by_name_and_what_is_none_is_told(tmp_path):
    folder = tmp_path / "vendors"
    assert local_files(tmp_path) == {}
    (folder / "dir.toml").mkdir(parents=True)
    (folder / "b.toml").write_text("b")
    (folder / "a.toml").write_text("a")
    (folder / "readme.txt").write_text("no")
    (folder / "large.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    assert local_files(tmp_path) == {"a.toml": b"a", "b.toml": b"b", "dir.toml": None, "large.toml": None}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acme.example", "acme/chat"), ("a.b.acme.example", "acme/chat"), ("notacme.example", None),
        ("api.eu.other.example", "other/api"), ("api.other.example", None), ("exact.other.example", "other/site"),
        ("below.exact.other.example", None), ("proxy.example", "bypass:proxies"),
    ],
)  # fmt: skip
def test_owner_of_a_name(name, found):
    assert owner(small(), name) == found


def test_name_that_a_file_would_unblock_is_left_out_alone():
    """A later catalogue may have it; the other names that the file keeps open stay open."""
    careful = replace(NOVEL, never_block=("acme.example", "shared.novel.example"))
    catalogue, local = joined(file(careful))
    assert catalogue.by_id["novel"].never_block == ("shared.novel.example",)
    assert "never_block: acme.example: is a domain of the catalogue, which it would unblock" in local.faults[0]
    assert local.domains == (("novel.example", "novel/chat"),)


def test_vendor_may_be_called_as_another():
    catalogue, local = joined(file(replace(NOVEL, name=small().by_id["acme"].name)))
    assert local.faults == ()
    assert owner(catalogue, "novel.example") == "novel/chat"
