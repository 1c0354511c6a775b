"""What in the settings of receivers does not fit together is told, with its place."""

import pytest

from sinkhole.app.check_settings import mistakes_of
from sinkhole.config.load import load_settings
from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, OutError
from sinkhole.out.target import Address, dnstap_address, mail_server, mailboxes, syslog_address

GOOD = {
    "file": "/var/log/hits.jsonl", "stdout": "", "syslog": "tls://siem.example.org", "webhook": "https://x.example/h",
    "dnstap": "unix:/run/dnstap.sock",
}  # fmt: skip


def mistakes(**fields):
    settings = Settings.model_validate({"out": [{"name": "a", **fields}]})
    return [m.removeprefix("config: ") for m in mistakes_of(settings) if "out[" in m]


@pytest.mark.parametrize(("kind", "target"), GOOD.items())
def test_good_receivers_have_no_mistake(kind, target):
    assert mistakes(kind=kind, target=target) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "file", "target": "hits.jsonl"}, "out[0].target (a): wanted an absolute path"),
        ({"kind": "stdout", "target": "x"}, "out[0].target (a): stdout has no target"),
        ({"kind": "syslog", "target": "siem"}, "out[0].target (a): wanted udp://, tcp:// or tls://HOST[:PORT]"),
        ({"kind": "syslog", "target": "tcp://h:99999"}, "out[0].target (a): wanted udp://"),
        ({"kind": "syslog", "target": "tcp://h/path"}, "out[0].target (a): wanted udp://"),
        ({"kind": "syslog", "target": "tcp://h\n:1"}, "out[0].target (a): wanted udp://"),
        ({"kind": "webhook", "target": "ftp://x/"}, "out[0].target (a): wanted a URL with https://"),
        ({"kind": "webhook", "target": "http://x/"}, "out[0].target (a): wanted https://; http:// is for"),
        ({"kind": "webhook", "target": "https://u:p@x/"}, "out[0].target (a): wanted a URL without a password"),
        ({"kind": "dnstap", "target": "tcp://h"}, "out[0].target (a): wanted unix:PATH or tcp://HOST:PORT"),
        ({"kind": "dnstap", "target": "unix:x"}, "out[0].target (a): wanted unix: and an absolute path"),
        ({"kind": "dnstap", "target": "unix:/x", "what": ["audit"]}, 'out[0].what (a): dnstap is for hits only'),
        ({"kind": "dnstap", "target": "unix:/x", "format": "json"}, "out[0].format (a): dnstap has a form of its own"),
        ({"kind": "webhook", "target": "https://x/", "format": "cef"}, "out[0].format (a): webhook is sent as json or"),
        ({"kind": "file", "target": "/x", "format": "ocsf", "what": ["audit"]}, "out[0].what (a): the audit log"),
        ({"kind": "file", "target": "/x", "secret_file": "/y"}, "out[0].secret_file (a): means nothing for file"),
        ({"kind": "file", "target": "/x", "what": ["reports"]}, "out[0].what (a): reports are sent to a webhook as"),
        ({"kind": "webhook", "target": "https://x/", "what": ["reports"], "format": "ocsf"},
         "out[0].what (a): reports are sent to a webhook as json"),
        ({"kind": "webhook", "target": "https://x/", "what": ["reports"]},
         "out[0].what (a): reports are sent as report_mail.every says, which is never"),
        ({"kind": "mail", "target": "soc", "what": ["alerts"]}, "out[0].target (a): wanted an address such as"),
        ({"kind": "mail", "target": "a@b.org", "what": ["alerts"]}, "out[0].kind (a): mail needs mail.server"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(fields, said):
    found = mistakes(**fields)
    assert any(one.startswith(said) for one in found), found


def test_names_are_told_apart():
    out = [{"name": "a", "kind": "stdout"}, {"name": "a", "kind": "stdout"}]
    assert "config: out[1].name: another receiver is called 'a' too" in mistakes_of(
        Settings.model_validate({"out": out})
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mail": {"server": "h"}}, "mail.server: wanted HOST:PORT"),
        (
            {"mail": {"tls": "none", "user": "u", "password_file": "/x"}},
            "mail.tls: a password is not sent in the clear",
        ),
        ({"mail": {"user": "u"}}, "mail.user: a user has a password_file"),
        ({"report_mail": {"every": "week"}}, "report_mail.every: a report needs report_mail.to"),
        ({"report_mail": {"every": "week", "to": ["a@b.org"]}}, "report_mail.to: a report by mail needs mail.server"),
        ({"metrics": {"listen": ["x"]}}, "metrics.listen[0]: "),
    ],
)
def test_mistakes_of_mail_and_metrics(given, said):
    found = mistakes_of(Settings.model_validate(given))
    assert any(one.startswith(f"config: {said}") for one in found), found


def test_a_mistake_of_the_second_receiver_has_its_line(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('[[out]]\nname = "a"\nkind = "stdout"\n\n[[out]]\nname = "B"\nkind = "stdout"\nbatch = 0\n')
    with pytest.raises(ConfigError) as found:
        load_settings(file, {}, {})
    assert found.value.mistakes == (
        f"config {file}, line 6: out[1].name: wanted a name of lower-case letters, digits and -, 32 at most; found 'B'",
        f"config {file}, line 8: out[1].batch: Input should be greater than or equal to 1; found 0",
    )


def test_receivers_come_from_the_environment_too():
    settings = load_settings(None, {"SINKHOLE_OUT": '[{ name = "a", kind = "stdout" }]'}, {})
    assert settings.out[0].kind == "stdout"


def test_ports_and_addresses_of_version_6():
    assert syslog_address("udp://[2001:db8::1]") == Address("udp", "2001:db8::1", 514)
    assert syslog_address("tls://h") == Address("tls", "h", 6514)
    assert dnstap_address("tcp://127.0.0.1:6000") == Address("tcp", "127.0.0.1", 6000)
    assert mail_server("[::1]:25") == ("::1", 25)
    assert mailboxes(" a@b.org , c@d.org ") == ("a@b.org", "c@d.org")


@pytest.mark.parametrize("text", ["", " , ", "a@b.org\nBcc: x@y.org", "a b@c.org", "<a@b.org>", "a@b.org;c@d.org"])
def test_addresses_that_could_end_a_header_are_none(text):
    with pytest.raises(OutError):
        mailboxes(text)
