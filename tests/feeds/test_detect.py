import pytest

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.detect import detect


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# header\n0.0.0.0 a.example\n::1 b.example # c\n", "hosts"),
        ("127.0.0.1\tlocalhost\n0.0.0.0 a.example\n", "hosts"),
        ("# header\na.example.org\nb.example.org # c\n", "domains"),
        ("*.a.example\n*.b.example\n", "domains"),
        (".a.example\n.b.example\n", "domains"),
        ("\ufeffa.example.org\n", "domains"),
        ("[Adblock Plus 2.0]\n! x\n||a.example^\n", "adblock"),
        ("||a.example^\n0.0.0.0 b.example\n0.0.0.0 c.example\n", "adblock"),
        ("a.example##.ad\nb.example#@#.ad\n", "adblock"),
        ("/^ads\\./\n", "adblock"),
        ("@@|a.example^\n", "adblock"),
        ("$TTL 60\n@ IN SOA a b 1 2 3 4 5\na.example CNAME .\n", "rpz"),
        ("address=/a.example/\nserver=/b.example/\n", "dnsmasq"),
        ('server:\nlocal-zone: "a.example" always_null\n', "unbound"),
        ("include:other\na.example\n", "v2fly"),
        ("a.example @cn\nb.example\nc.example\n", "v2fly"),
        ("payload:\n  - '+.a.example'\n", "clash"),
        ("a.example\nc.example\n+.b.example\n", "clash"),
        ("DOMAIN-SUFFIX,a.example\nIP-CIDR,192.0.2.0/24\n", "clash"),
        ('{"sinkhole": 1, "vendors": []}', "catalogue"),
    ],
)
def test_formats_are_told_by_their_rows(text: str, kind: str) -> None:
    assert detect(text.encode()) == kind


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"", "empty"),
        (b"\n\r\n  \n", "empty"),
        (b"<!DOCTYPE html>\n<html>", "web page"),
        (b"\xef\xbb\xbf \n<html>", "web page"),
        (b'{"message":"Not Found"}', "JSON"),
        (b"\xff\xfe0\x00", "UTF-16"),
        (b"\xfe\xff\x000", "UTF-16"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"PK\x03\x04", "compressed"),
        (b"User-agent: x\nDisallow: /\n", "no format known"),
        (b"1.0.0.1   # one.example\n", "no format known"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(head: bytes, why: str) -> None:
    with pytest.raises(FeedFormatError, match=why):
        detect(head)
