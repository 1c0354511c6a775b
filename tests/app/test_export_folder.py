"""An export takes the place of the one before as a whole, and of nothing else."""

import pytest

from sinkhole.app.export_folder import MARKER, replaced
from sinkhole.errors import CatalogueError


def export(folder, **files: str) -> None:
    with replaced(folder) as new:
        for name, text in files.items():
            (new / name).write_text(text)


def content(folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != MARKER}


def test_folder_is_made_and_readable(tmp_path):
    export(tmp_path / "out", a="1")
    assert content(tmp_path / "out") == {"a": "1"}
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    export(tmp_path / "out", a="1")
    assert content(tmp_path / "out") == {"a": "1"}


def test_export_replaces_the_one_before(tmp_path):
    export(tmp_path / "out", a="1", b="2")
    export(tmp_path / "out", a="3")
    assert content(tmp_path / "out") == {"a": "3"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_signature_that_was_added_by_hand_is_no_hindrance(tmp_path):
    export(tmp_path / "out", a="1")
    (tmp_path / "out" / "catalogue.json.minisig").write_text("x")
    export(tmp_path / "out", a="2")
    assert content(tmp_path / "out") == {"a": "2"}


def test_folder_of_someone_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(CatalogueError, match="is not empty, and was not made by an export"):
        export(tmp_path, a="1")
    assert content(tmp_path) == {"thesis.txt": "x"}


def test_folder_with_a_folder_of_someone_else(tmp_path):
    (tmp_path / "out" / "empty").mkdir(parents=True)
    with pytest.raises(CatalogueError, match="was not made by an export"):
        export(tmp_path / "out", a="1")


def test_file_that_was_put_into_an_export_is_not_lost(tmp_path):
    export(tmp_path / "out", a="1")
    (tmp_path / "out" / "CNAME").write_text("lists.example.org")
    with pytest.raises(CatalogueError, match="holds what no export wrote and would be lost: CNAME"):
        export(tmp_path / "out", a="2")
    assert content(tmp_path / "out") == {"a": "1", "CNAME": "lists.example.org"}


def test_file_that_was_put_there_meanwhile_is_not_lost(tmp_path):
    def write_while_it_is_built() -> None:
        with replaced(tmp_path / "out") as new:
            (new / "a").write_text("1")
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "mine").write_text("x")

    with pytest.raises(CatalogueError, match="was not made by an export"):
        write_while_it_is_built()
    assert content(tmp_path / "out") == {"mine": "x"}


def test_failure_leaves_the_one_before_and_nothing_beside(tmp_path):
    export(tmp_path / "out", a="1")

    def fail() -> None:
        with replaced(tmp_path / "out") as new:
            (new / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert content(tmp_path / "out") == {"a": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(CatalogueError, match="is no folder"):
        export(tmp_path / "out", a="1")


def test_parent_that_is_not_there(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be written"):
        export(tmp_path / "none" / "out", a="1")


def test_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    export(tmp_path / "link", a="1")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == {"a": "1"}
