"""Vendor files that people write in: what is added and taken out leaves the rest as it is; mistakes have lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.catalogue.lines import line_of
from sinkhole.catalogue.load import vendor_from_toml
from sinkhole.catalogue.local_file import with_product, without_domain
from sinkhole.errors import CatalogueError
from tests.catalogue.small import domain, product, vendor

ACME = vendor("acme", product("acme/chat", domain("acme.example")))
FILE = with_product(None, ACME, ACME.products[0])


def read(path, text):
    return vendor_from_toml(path / "acme.toml", text.encode())


def test_new_file_says_what_the_vendor_is(tmp_path):
    assert read(tmp_path, FILE) == ACME


@pytest.mark.parametrize("end", ["", "\n", "\n\n# mine\n", "# mine"])
def test_more_is_added_at_the_end_and_the_rest_stays(tmp_path, end):
    text = FILE.rstrip("\n") + end
    added = with_product(text, ACME, product("acme/api", domain("api.acme.example"), categories=["api"]))
    assert added.startswith(text)
    assert [one.id for one in read(tmp_path, added).products] == ["acme/chat", "acme/api"]
    assert without_domain(added, "api.acme.example").rstrip("\n") == text.rstrip("\n")


def test_domain_goes_and_comments_of_others_stay(tmp_path):
    both = with_product(FILE, ACME, product("acme/chat", domain("b.example"), domain("c.example")))
    text = both.replace('[[products.domains]]\nname = "c.', '# about c\n[[products.domains]]\nname = "c.')
    assert text != both
    left = without_domain(text, "b.example")
    assert '# about c\n[[products.domains]]\nname = "c.example"' in left
    assert [d.name for p in read(tmp_path, left).products for d in p.domains] == ["acme.example", "c.example"]
    left = without_domain(left, "c.example")
    assert len(read(tmp_path, left).products) == 1
    assert without_domain(left, "acme.example") is None


def test_product_in_the_middle_goes_with_its_last_domain(tmp_path):
    text = with_product(FILE, ACME, product("acme/api", domain("api.acme.example"), categories=["api"]))
    left = without_domain(text, "acme.example")
    assert [one.id for one in read(tmp_path, left).products] == ["acme/api"]


def test_domain_in_another_form_is_left_to_people():
    text = 'id = "x"\n[[products]]\nslug = "a"\ndomains = [{ name = "acme.example" }]\n'
    with pytest.raises(CatalogueError, match=r"acme.example: stands in no table \[\[products.domains\]\]"):
        without_domain(text, "acme.example")


TEXT = """id = "acme"
name = "Acme"
[data_use]
read = 2026-01-01
[[products]]
slug = "chat"
[[products.domains]]
name = "acme.example"
[[products.domains]]
role = "web"
name = "b.example"  # twice
[[products]]
[[products.domains]]
name = "c.example"
"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("name: is also that of other", 2),
        ("data_use.read: is in the future", 4),
        ("data_use.source: Field required", 3),
        ("products[0].slug: is wrong", 6),
        ("products[0].name: Field required", 5),
        ("products[0].domains[1].name: is wrong", 11),
        ("products[1].domains[0].source: Field required", 13),
        ("owner: Field required", None),
        ("acme/chat: b.example: is a public suffix", 11),
        ("acme/chat: has no domains", 6),
        ("key with no value, expected `=` at line 7 column 2", 7),
        ("nothing that is known", None),
    ],
)
def test_mistake_has_the_line_it_is_about(said, line):
    assert line_of(TEXT, said) == line


@pytest.mark.parametrize(
    ("broken", "line"),
    [('a = 1\nname = "Acme\n', 2), ("a = 1\n[[products]\n", 2), ('a = 1\nb = """\n', 2), ("a = 1\na = 2\n", 2)],
)
def test_what_is_no_toml_has_the_line_that_the_parser_tells(tmp_path, broken, line):
    with pytest.raises(CatalogueError) as error:
        read(tmp_path, broken)
    assert line_of(broken, str(error.value).removeprefix("acme.toml: ")) == line


def test_lines_are_those_that_the_parser_of_toml_tells(tmp_path):
    text = FILE.replace('slug = "chat"', 'slug = "No Slug"')
    with pytest.raises(CatalogueError) as error:
        read(tmp_path, text)
    said = str(error.value).removeprefix("acme.toml: ")
    assert text.splitlines()[line_of(text, said) - 1] == 'slug = "No Slug"'


texts = st.lists(st.sampled_from([*FILE.splitlines(), "[", "# x", "", 'name = "b.example"', "[[products]]"])).map(
    "\n".join
)


@given(texts | st.text(), st.text() | st.sampled_from(["products[0].domains[0].name: x", "acme/chat: acme.example: x"]))
def test_any_text_has_the_line_or_none(text, said):
    line = line_of(text, said)
    assert line is None or line >= 1


@given(texts | st.text())
def test_from_any_text_a_domain_is_taken_out_or_it_is_said_that_it_cannot(text):
    try:
        left = without_domain(text, "acme.example")
    except CatalogueError:
        return
    assert left is None or set(left.splitlines()) <= set(text.splitlines())
