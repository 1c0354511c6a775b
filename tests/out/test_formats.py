"""Each format obeys its specification, whatever the network put into names (R-W08, R-P07)."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import OutError
from sinkhole.noted import AuditEntry
from sinkhole.out.cef import to_cef
from sinkhole.out.json_format import to_json
from sinkhole.out.ocsf import to_ocsf
from sinkhole.out.syslog_message import to_syslog
from sinkhole.out.words import utc_text
from tests.out.events import HOSTILE, HOSTILE_EVENTS, alert, audit, hit
from tests.store.rows import START

EVENTS = (hit(), alert(facts={"name": "x.example.org"}), audit(), *HOSTILE_EVENTS)
SYSLOG = re.compile(
    # RFC 5424, section 6, rule by rule; SD-NAME without =, ], " and blanks.
    rb"<(?P<pri>[1-9]?[0-9]|1[0-8][0-9]|19[01])>1 "
    rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)) "
    rb"(?P<host>[\x21-\x7e]{1,255}) (?P<app>[\x21-\x7e]{1,48}) (?P<proc>[\x21-\x7e]{1,128}) (?P<id>[\x21-\x7e]{1,32}) "
    rb'(?P<sd>-|(\[[^= \]"\x00-\x20\x7f-\xff]{1,32}( [^= \]"\x00-\x20\x7f-\xff]{1,32}="(\\["\\\]]|[^"\\\]])*")*\])+)'
    rb"(?: (?P<msg>.*))?",
    re.DOTALL,
)


def params(structured):
    """Read PARAM-VALUEs back as section 6.3.3 says."""
    found = re.findall(rb' ([^=]+)="((?:\\["\\\]]|[^"\\\]])*)"', structured)
    return {key.decode(): re.sub(rb'\\(["\\\]])', rb"\1", value).decode() for key, value in found}


def read_cef(line):
    """Read a line as the specification says: seven header fields, then key=value with labels."""
    *head, extension = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7) if "\\\\|" not in line else _split(line)
    found = {}
    for match in re.finditer(r"(?:^| )(\w+)=((?:\\.|[^\\=])*?)(?= \w+=|$)", extension):
        found[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
    return head, found


def _split(line):
    parts, current, escaped = [], "", False
    for char in line:
        if char == "|" and not escaped and len(parts) < 7:
            parts.append(current)
            current = ""
        else:
            current += char
        escaped = char == "\\" and not escaped
    return [*parts, current]


@pytest.mark.parametrize(
    ("event", "form"),
    [(event, form) for event in EVENTS for form in ("text", "json", "cef", "ocsf")
     if form != "ocsf" or not isinstance(event, AuditEntry)],
)  # fmt: skip
def test_syslog_is_as_its_grammar_says(event, form):
    """RFC 5424, section 6: ABNF; and one line, so that receivers that cut at line breaks do not see two."""
    wire = to_syslog(event, form, "host.example.org")
    found = SYSLOG.fullmatch(wire)
    assert found
    assert found["app"] == b"sinkhole"
    assert not re.search(rb"[\x00-\x1f\x7f]", wire)
    text = found["msg"]
    assert text.isascii() or form == "cef" or text.startswith(b"\xef\xbb\xbf"), "UTF-8 begins with the mark"


def test_structured_data_of_syslog_tells_what_the_row_says():
    event = hit(7, vendor='a"b]c\\d', count=3)
    found = SYSLOG.fullmatch(to_syslog(event, "text"))
    assert found["sd"].startswith(b"[sinkhole@32473 ")
    told = params(found["sd"])
    assert told["vendor"] == 'a"b]c\\d'
    assert (told["uid"], told["action"], told["count"], told["qtype"]) == ("hit-7", "block", "3", "A")
    assert "feed" not in told, "what is not there is left out"
    assert found["msg"] == b"DNS query blocked: chat.example.org by 192.0.2.1, 3 times"


def test_priorities_are_of_the_facility_for_local_use():
    """Section 6.2.1: local0 is 16; blocked is a notice, monitored informational, an alert a warning."""
    events = (hit(), hit(action="monitor"), alert(), audit())
    assert [int(SYSLOG.fullmatch(to_syslog(event, "text"))["pri"]) for event in events] == [133, 134, 132, 133]


def test_host_name_of_syslog_is_graphic():
    assert SYSLOG.fullmatch(to_syslog(hit(), "text", "my höst\n" + "x" * 300))


@pytest.mark.parametrize("event", EVENTS)
def test_cef_has_its_header_and_nothing_ends_a_field(event):
    line = to_cef(event)
    assert not re.search(r"[\x00-\x1f\x7f]", line)
    head, extension = read_cef(line)
    assert head[:4] == ["CEF:0", "Sinkhole", "Sinkhole", "0.1.0"]
    assert re.fullmatch(r"[0-9]|10", head[6]), "severity"
    assert extension["externalId"]
    assert extension["rt"] == str(START * 1000)
    labels = {key for key in extension if re.fullmatch(r"cs\d", key)}
    assert all(f"{key}Label" in extension for key in labels), "an own field says what it is"
    assert all(label.removesuffix("Label") in extension for label in extension if label.endswith("Label"))


def test_cef_escapes_as_its_specification_says():
    """Pipe and backslash in the header, equals sign, backslash and line breaks in values."""
    head, extension = read_cef(to_cef(hit(vendor="a=b\\c|d\ne\x1bf")))
    assert extension["cs1"] == "a=b\\c|d\ne\\x1bf"
    assert extension["cs1Label"] == "vendor"
    assert "cs1=a\\=b\\\\c|d\\ne\\\\x1bf " in to_cef(hit(vendor="a=b\\c|d\ne\x1bf"))
    head, _ = read_cef(to_cef(alert(kind="x|y\\z")))
    assert (head[4], head[5]) == ("alert-x\\|y\\\\z", "Alert x\\|y\\\\z")


@pytest.mark.parametrize(
    ("client", "key"), [("192.0.2.1", "src"), ("2001:db8::1", "c6a2"), ("p-0123456789ab", "shost"), ("", None)]
)
def test_cef_tells_who_asked_where_the_dictionary_has_a_place(client, key):
    _, extension = read_cef(to_cef(hit(client=client)))
    told = {name: extension[name] for name in ("src", "c6a2", "shost") if name in extension}
    assert told == ({key: client} if key else {})


@pytest.mark.parametrize("event", [hit(), hit(action="monitor", client=""), HOSTILE_EVENTS[0]])
def test_ocsf_dns_activity_has_what_is_required(event):
    """Class 4003 of OCSF 1.3: required attributes, and the constraint on endpoints."""
    found = json.loads(to_ocsf(event))
    assert found["class_uid"] == 4003
    assert found["category_uid"] == 4
    assert found["activity_id"] == 6
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    assert found["severity_id"] in range(1, 7)
    assert found["time"] == START * 1000
    assert found["metadata"]["version"] == "1.3.0"
    assert found["metadata"]["product"]["vendor_name"]
    assert found["query"]["hostname"] == event.hit.name
    assert found["src_endpoint"] or found["dst_endpoint"]
    is_blocked = event.hit.action == "block"
    assert (found["action_id"], found["disposition_id"]) == ((2, 2) if is_blocked else (1, 17))
    assert found["count"] == 1


def test_ocsf_detection_finding_has_what_is_required():
    found = json.loads(to_ocsf(alert(facts={"name": HOSTILE})))
    assert (found["class_uid"], found["type_uid"], found["category_uid"]) == (2004, 200401, 2)
    assert found["finding_info"]["uid"] == "alert-1"
    assert found["finding_info"]["title"] == "Alert new-vendor"
    assert found["unmapped"]["name"] == HOSTILE


def test_ocsf_has_no_class_for_the_audit_log():
    with pytest.raises(OutError, match="no class in OCSF"):
        to_ocsf(audit())


@pytest.mark.parametrize("event", EVENTS)
def test_json_is_one_line_of_ascii(event):
    line = to_json(event)
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert found["v"] == 1
    assert found["uid"] == f"{found['event']}-1"


def test_json_of_a_hit_says_all_of_the_row():
    found = json.loads(to_json(hit(9, group="staff", feed="doh", count=4, at=61)))
    assert found == {
        "v": 1, "event": "hit", "uid": "hit-9", "time": utc_text(START + 61), "action": "block", "client": "192.0.2.1",
        "group": "staff", "name": "chat.example.org", "qtype": "A", "vendor": "example", "product": "example/chat",
        "feed": "doh", "subject": "ai", "count": 4, "first": utc_text(START + 61), "last": utc_text(START + 61),
    }  # fmt: skip


def test_values_of_the_audit_log_are_json_again():
    found = json.loads(to_json(audit(before="no JSON")))
    assert (found["before"], found["after"], found["who"]) == ("no JSON", {"a": 1}, "ann")


def test_a_time_that_no_calendar_holds_breaks_nothing():
    assert utc_text(2**60) == "1970-01-01T00:00:00Z"


@given(st.text(max_size=60))
def test_any_text_survives_json_and_breaks_no_format(text):
    event = hit(vendor=text, client=text)
    assert json.loads(to_json(event))["vendor"] == text
    assert SYSLOG.fullmatch(to_syslog(event, "text"))
    line = to_cef(event)
    assert line.isprintable()
    assert line.split("|")[0] == "CEF:0"
    assert json.loads(to_ocsf(event))["class_uid"] == 4003
