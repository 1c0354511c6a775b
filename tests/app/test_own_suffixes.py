"""Domains of this network."""

import pytest

from sinkhole.app.check_settings import mistakes_of
from sinkhole.app.own_suffixes import own_suffixes
from sinkhole.config.schema import Settings

CONF = "search Office.Example.org com bad..name .\n"
SETTINGS = {
    "policy": {"search_suffixes": ["corp.example", "LAN"]},
    "records": ["nas.home.example A 192.0.2.9", "*.wild.example A 192.0.2.9", "broken"],
    "upstream": {"zones": [{"zone": "ad.example.net.", "servers": ["192.0.2.53"]}, {"zone": ".", "servers": ["x"]}]},
}


@pytest.fixture
def resolv_conf(tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text(CONF)
    return path


def test_they_come_from_settings_system_records_and_zones(resolv_conf):
    """What cannot be read, and what many share, is left out."""
    assert own_suffixes(Settings.model_validate(SETTINGS), resolv_conf) == (
        "ad.example.net", "corp.example", "lan", "nas.home.example", "office.example.org", "wild.example",
    )  # fmt: skip


def test_system_without_a_file_has_none(tmp_path):
    assert own_suffixes(Settings(), tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("com", "policy.search_suffixes[1]: too wide: names right below com have many owners"),
        ("co.uk", "policy.search_suffixes[1]: too wide: names right below co.uk have many owners"),
        ("a..b", "policy.search_suffixes[1]: "),
        (".", "policy.search_suffixes[1]: too wide"),
    ],
)
def test_wrong_suffix_is_a_mistake(text, why):
    settings = Settings.model_validate({"policy": {"search_suffixes": ["corp.example", text]}})
    (mistake,) = mistakes_of(settings)
    assert mistake.startswith(f"config: {why}")
