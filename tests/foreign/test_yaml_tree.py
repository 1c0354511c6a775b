"""YAML of strangers: plain values with their lines, or one sentence with the line of what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import ForeignFileError
from sinkhole.foreign import yaml_tree
from sinkhole.foreign.model import Foreign
from sinkhole.foreign.yaml_section import root_section
from sinkhole.foreign.yaml_tree import Node, read_yaml


def plain(node: Node) -> object:
    """Return the values without their lines."""
    match node.value:
        case list() as items:
            return [plain(item) for item in items]
        case dict() as items:
            return {key: plain(value) for key, value in items.items()}
        case value:
            return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: [x, 'y', \"z\"]", {"a": "1", "b": ["x", "y", "z"]}),
        ("a:\nb: ~\nc: null\nd: 'null'\ne: ''", {"a": None, "b": None, "c": None, "d": "null", "e": ""}),
        ("a: &x [1]\nb: *x", {"a": ["1"], "b": ["1"]}),
        ("base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3", {"base": {"x": "1", "y": "2"}, "c": {"x": "1", "y": "3"}}),
        ("c:\n  y: 3\n  <<: [{x: 1, y: 2}, {x: 9, z: 4}]", {"c": {"x": "1", "y": "3", "z": "4"}}),
        ("'<<': 1", {"<<": "1"}),
        ("a: !!str 1", {"a": "1"}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ("- 1\n- {a: b}", ["1", {"a": "b"}]),
    ],
)
def test_values(text, value):
    assert plain(read_yaml(text, "f")) == value


def test_lines_are_known():
    root = read_yaml("a: 1\n\nb:\n  - x\n  - y\n", "f")
    assert isinstance(root.value, dict)
    assert root.value["a"].line == 1
    assert [item.line for item in root.value["b"].value] == [4, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "f: line 2, column 1: is no YAML: "),
        ("a: 1\na: 2", "f: line 2: the key 'a' is there twice"),
        ("a: !!python/object/apply:os.system [id]", "f: line 1: the tag 'tag:yaml.org,2002:python/object/apply:os.sys"),
        ("a: !include /etc/passwd", "f: line 1: the tag '!include' is not read"),
        ("a: *x", "f: line 1: there is no anchor 'x'"),
        ("a: &x [*x]", "f: line 1: the anchor 'x' is within itself"),
        ("? [a]\n: 1", "f: line 1: a key is a text; found a list"),
        ("a: &x 1\n*x : 2", "f: line 2: a key is a text; found a text"),
        ("a:\n  <<: 1", "f: line 2: << takes a mapping; found a text"),
        ("a: 1\n---\nb: 2", "f: line 2: is a second document; one is wanted"),
        ("", "f: is empty"),
        ("[" * 70, f"f: line 1: is nested deeper than {yaml_tree.MAX_DEPTH} levels"),
        ("\x01", "f: is no YAML: "),
    ],
)
def test_mistakes(text, said):
    with pytest.raises(ForeignFileError) as error:
        read_yaml(text, "f")
    assert str(error.value).startswith(said.split("column")[0])
    assert said.rpartition(": ")[2].strip() in str(error.value)


def test_bomb_of_aliases_takes_no_room(monkeypatch):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    root = read_yaml("\n".join(rows), "f")  # 9 to the power of 60 values, were it unfolded
    assert isinstance(root.value, dict)
    assert len(root.value) == 60
    monkeypatch.setattr(yaml_tree, "MAX_ALIASES", 100)
    with pytest.raises(ForeignFileError, match="has more than 100 aliases"):
        read_yaml("\n".join(rows), "f")


def test_bomb_of_merges_is_bounded(monkeypatch):
    monkeypatch.setattr(yaml_tree, "MAX_NODES", 10_000)
    keys = ", ".join(f"k{n}: 1" for n in range(300))
    rows = [f"a: &a {{{keys}}}", *(f"b{n}:\n  <<: *a" for n in range(60))]
    with pytest.raises(ForeignFileError, match="has more than 10000 values"):
        read_yaml("\n".join(rows), "f")


@given(st.text(max_size=200) | st.lists(st.sampled_from("[]{}:,-&*!|>'\"#\n ax<?%@")).map("".join))
def test_any_text_is_read_or_refused(text):
    try:
        read_yaml(text, "f")
    except ForeignFileError as error:
        assert str(error).startswith("f: ")  # noqa: PT017 - most texts are refused, some are not


def test_sections_want_what_they_ask_for():
    text = "a: {b: [1]}\nc: text\nd: [x]\ne: maybe\nf: on\ng: [{h: 1}, 2]\n"
    root = root_section(read_yaml(text, "f"), "f")
    assert root.flag("f", False) is True
    assert root.flag("missing", True) is True
    assert root.text("missing", "x") == "x"
    assert [text for text, _ in root.texts("c")] == ["text"]
    for ask, said in [
        (lambda: root.text("a"), "f, line 1: a: wanted a text; found a mapping"),
        (lambda: root.section("c"), "f, line 2: c: wanted a mapping; found a text"),
        (lambda: root.section("a").text("b"), "f, line 1: a.b: wanted a text; found a list"),
        (lambda: root.flag("e", False), "f, line 4: e: wanted true or false; found a text"),
        (lambda: list(root.sections("g")), r"f, line 6: g\[1\]: wanted a mapping; found a text"),
        (lambda: root.texts("a"), "f, line 1: a: wanted a list; found a mapping"),
        (lambda: root.texts("g"), r"f, line 6: g\[0\]: wanted a text; found a mapping"),
        (lambda: root_section(read_yaml("[1]", "f"), "f"), "f: wanted a mapping of settings; found a list"),
    ]:
        with pytest.raises(ForeignFileError, match=f"^{said}$"):
            ask()


def test_what_nobody_asked_for_is_told():
    root = root_section(read_yaml("a: 1\nb: 2\nc: 3\n", "f"), "f")
    root.text("b")
    into = Foreign("x")
    root.note_unused(into, "why")
    assert [str(note) for note in into.notes] == ["f, line 1: a, c: why"]
