"""Loading again: what has not changed is not read, and every change is seen."""

import time

import pytest

from sinkhole.catalogue.load import load_catalogue
from tests.catalogue.test_lint import vendor, write


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bypass").mkdir()
    return write(tmp_path, ("acme.toml", vendor()))


def later():
    """A minute on, so that what was written just now is old."""
    return time.time() + 60


def names(catalogue):
    return [one.name for vendor in catalogue.vendors for product in vendor.products for one in product.domains]


def test_what_has_not_changed_is_the_same(folder):
    assert load_catalogue(folder, later) is load_catalogue(folder, later)


@pytest.mark.parametrize("clock", [time.time, later])
def test_change_of_a_letter_is_seen(folder, clock):
    """At once, although the file is as long as before and, perhaps, of the same tick of the clock."""
    for name in ("acme.example", "bcme.example", "ccme.example", "acme.example"):
        (folder / "vendors" / "acme.toml").write_text(vendor(name))
        assert names(load_catalogue(folder, time.time)) == [name]
    (folder / "vendors" / "acme.toml").replace(folder / "kept")
    (folder / "vendors" / "acme.toml").write_text(vendor("dcme.example"))
    assert names(load_catalogue(folder, clock)) == ["dcme.example"]


def test_file_that_comes_and_goes_is_seen(folder):
    assert names(load_catalogue(folder, later)) == ["acme.example"]
    more = folder / "vendors" / "more.toml"
    more.write_text(vendor("more.example").replace('"acme"', '"more"'))
    assert names(load_catalogue(folder, later)) == ["acme.example", "more.example"]
    more.unlink()
    assert names(load_catalogue(folder, later)) == ["acme.example"]


def test_what_nothing_may_block_is_seen(folder):
    assert load_catalogue(folder, later).never_block == ("protected.example",)
    (folder / "never-block.txt").write_text("other.example\n")
    assert load_catalogue(folder, later).never_block == ("other.example",)
