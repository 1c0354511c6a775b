import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.feeds.formats.rewrite import is_plain_block, print_rewrite, read_rewrite
from sinkhole.feeds.row import RowError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("192.0.2.1", "A 192.0.2.1"),
        ("2001:DB8::1", "AAAA 2001:db8::1"),
        ("new.example", "CNAME new.example"),
        ("othercname", "CNAME othercname"),
        ("REFUSED", "REFUSED"),
        ("NOERROR", "NOERROR"),
        ("NOERROR;;", "NOERROR"),
        ("refused;;", "REFUSED"),
        ("NXDOMAIN;A;192.0.2.1", "NXDOMAIN"),
        ("NOERROR;A;192.0.2.1", "A 192.0.2.1"),
        ("noerror;aaaa;2001:db8::1", "AAAA 2001:db8::1"),
        ("NOERROR;CNAME;B.example", "CNAME b.example"),
        ("NOERROR;PTR;host.example.", "PTR host.example"),
        ("NOERROR;MX;32 mail.example", "MX 32 mail.example"),
        ("NOERROR;TXT;hello world; v=1", "TXT hello world; v=1"),
        ("NOERROR;SRV;10 60 8080 host.example", "SRV 10 60 8080 host.example"),
        ("NOERROR;HTTPS;32 host.example alpn=h3", "HTTPS 32 host.example alpn=h3"),
        ("NOERROR;SVCB;1 . alpn=h3 dohpath=/dns-query{?dns}", "SVCB 1 . alpn=h3 dohpath=/dns-query{?dns}"),
    ],
)
def test_forms(value: str, text: str) -> None:
    """R-L06: AdGuard's short and full forms."""
    assert read_rewrite(value, 1) == text
    assert read_rewrite(print_rewrite(text), 1) == text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("SERVFAULT", "no keyword"),
        ("A:NOERROR:127.0.0.1", "port|character"),
        ("NOERROR;A", "RCODE;TYPE;VALUE"),
        ("NOSUCH;;", "no response code"),
        ("NOERROR;NOSUCH;x", "no type"),
        ("NOERROR;NAPTR;x", "cannot answer with NAPTR"),
        ("NOERROR;A;2001:db8::1", "not the address of an A record"),
        ("NOERROR;AAAA;192.0.2.1", "not the address of an AAAA record"),
        ("NOERROR;MX;mail.example", "not the data of a MX record"),
        ("NOERROR;MX;70000 mail.example", "not the data of a MX record"),
        ("NOERROR;SRV;1 2 host.example x", "not the data of a SRV record"),
        ("NOERROR;CNAME;", "not the data of a CNAME record"),
        ("NOERROR;CNAME;a..example", "empty label"),
    ],
)
def test_bad_values(value: str, why: str) -> None:
    with pytest.raises(RowError, match=why):
        read_rewrite(value, 1)


@pytest.mark.parametrize(
    ("text", "expected"), [("A 0.0.0.0", True), ("AAAA ::", True), ("REFUSED", True), ("A 127.0.0.1", False)]
)
def test_rewrites_that_only_block(text: str, expected: bool) -> None:
    assert is_plain_block(text) is expected


@given(st.text(alphabet="ANOERRTXMHSV;. 019:/=abc-", max_size=40))
def test_text_or_the_documented_error(value: str) -> None:
    try:
        text = read_rewrite(value, 1)
    except RowError:
        return
    assert read_rewrite(print_rewrite(text), 1) == text
