"""Settings: file, environment, flags; every mistake at once, each with its place."""

from pathlib import Path

import pytest

from sinkhole.config.document import configuration_page, settings_to_toml
from sinkhole.config.load import load_settings
from sinkhole.config.schema import Settings, default_data_dir
from sinkhole.errors import ConfigError

FILE = """
records = ["printer.example.org 60 A 192.0.2.9"]

[server]
workers = 2

[[upstream.zones]]
zone = "corp.example"
servers = ["192.0.2.53"]
"""


def load(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    path = tmp_path / "sinkhole.toml"
    path.write_text(text)
    return load_settings(path, environment or {}, {})


def mistakes(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, environment)
    return caught.value.mistakes


def test_defaults_need_no_file():
    settings = load_settings(None, {}, {})
    assert settings.server.workers == 1
    assert settings.blocking.mode == "address"


def test_file_then_environment_then_flags(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("[server]\nworkers = 2\nlog_level = 'debug'\n[cache]\nentries = 5\n")
    environment = {"SINKHOLE_SERVER_WORKERS": "3", "SINKHOLE_CACHE_ENTRIES": "7", "HOME": "/x"}
    settings = load_settings(path, environment, {"server.workers": 4, "server.listen": None})
    assert (settings.server.workers, settings.cache.entries, settings.server.log_level) == (4, 7, "debug")


def test_environment_lists_take_commas_or_toml():
    words = load_settings(None, {"SINKHOLE_UPSTREAM_SERVERS": "192.0.2.1, tls://192.0.2.2"}, {})
    toml = load_settings(None, {"SINKHOLE_UPSTREAM_SERVERS": '["192.0.2.1", "tls://192.0.2.2"]'}, {})
    assert words.upstream.servers == toml.upstream.servers == ("192.0.2.1", "tls://192.0.2.2")


def test_environment_reaches_keys_outside_any_section():
    settings = load_settings(None, {"SINKHOLE_CANARIES": "false", "SINKHOLE_RECORDS": "a.example A 192.0.2.1"}, {})
    assert settings.canaries is False
    assert settings.records == ("a.example A 192.0.2.1",)


def test_variables_of_the_command_line_are_no_settings():
    load_settings(None, {"SINKHOLE_CONFIG": "x", "SINKHOLE_DATA_DIR": "y"}, {})


def test_all_mistakes_at_once_with_their_line(tmp_path):
    """R-O03: bad configuration is refused with line and key."""
    text = "[server]\nworkers = 0\nfoo = 1\n[access]\nallow = ['10.0.0.1/8']\n[nonsense]\nx = 1\n"
    found = mistakes(tmp_path, text, {"SINKHOLE_NO_SUCH": "1", "SINKHOLE_CACHE_ENTRIES": "-1"})
    lines = "\n".join(found)
    assert "line 2: server.workers" in lines
    assert "line 3: server.foo: there is no such setting" in lines
    assert "line 5: access.allow[0]" in lines
    assert "line 6: nonsense: there is no such setting" in lines
    assert "SINKHOLE_NO_SUCH" in lines
    assert "cache.entries" in lines


def test_syntax_error_names_line_and_column(tmp_path):
    assert "line 2, column" in mistakes(tmp_path, "[server]\nworkers = = 2\n")[0]


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b"\xff\xfe", "not UTF-8")])
def test_unreadable_file_is_one_clear_sentence(tmp_path, content, said):
    path = tmp_path / "c.toml"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_settings(path, {}, {})


def test_flag_into_a_key_that_is_no_table(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("server = 3\n")
    with pytest.raises(ConfigError, match="server"):
        load_settings(path, {}, {"server.workers": 2})


def test_settings_survive_writing_and_reading(tmp_path):
    settings = load(tmp_path, FILE)
    again = load(tmp_path, settings_to_toml(settings))
    assert again == settings


def test_configuration_page_is_up_to_date():
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text() == configuration_page(), "run: sinkhole config docs > docs/configuration.md"


def test_every_setting_is_described():
    for name, section in Settings.model_fields.items():
        for key, field in getattr(section.annotation, "model_fields", {name: section}).items():
            assert field.description, f"{name}.{key} has no description"


def test_data_dir_of_root_and_of_a_user(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/sinkhole")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "sinkhole"


@pytest.mark.parametrize(
    "contact", ["mailto:it@example.org", "https://help.example.org/x?y", "tel:+49-30-555", "sips:it@example.org"]
)
def test_contact_is_one_of_four_kinds(tmp_path, contact):
    settings = load(tmp_path, f'[blocking]\ncontact = ["{contact}"]\n')
    assert settings.blocking.contact == (contact,)


@pytest.mark.parametrize(
    ("contact", "why"),
    [
        ("it@example.org", "wanted mailto:, https:, tel: or sips: and an address"),
        ("mail:it@example.org", "did you mean mailto:?"),
        ("http://help.example.org", "did you mean https:?"),
        ("mailto:it", "in printable ASCII without blanks"),
        ("https://", "in printable ASCII without blanks"),
        ("tel:", "in printable ASCII without blanks"),
        ("tel:+49 30", "in printable ASCII without blanks"),
        ("mailto:ü@example.org", "in printable ASCII without blanks"),
        ("https://x\\u001b[2J", "in printable ASCII without blanks"),
        ("tel:" + "1" * 200, "at most 200 characters, this one has 204"),
    ],
)
def test_wrong_contact_is_refused(tmp_path, contact, why):
    (mistake,) = mistakes(tmp_path, f'[blocking]\ncontact = ["mailto:it@example.org", "{contact}"]\n')
    assert "blocking.contact[1]: " in mistake
    assert why in mistake


def test_organisation_is_one_line(tmp_path):
    (mistake,) = mistakes(tmp_path, '[blocking]\norganisation = "a\\nb"\n')
    assert "blocking.organisation: wanted one line of printable text" in mistake
