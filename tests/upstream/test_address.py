import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import ConfigError
from sinkhole.upstream.address import Scheme, UpstreamAddress, parse_upstream


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.1.1.1", UpstreamAddress(Scheme.UDP, "1.1.1.1", 53)),
        ("1.1.1.1:5353", UpstreamAddress(Scheme.UDP, "1.1.1.1", 5353)),
        (" 2001:db8::1 ", UpstreamAddress(Scheme.UDP, "2001:db8::1", 53)),
        ("[2001:DB8::1]", UpstreamAddress(Scheme.UDP, "2001:db8::1", 53)),
        ("fe80::1%eth0", UpstreamAddress(Scheme.UDP, "fe80::1%eth0", 53)),
        ("udp://[::1]:54", UpstreamAddress(Scheme.UDP, "::1", 54)),
        ("TCP://dns.example.org", UpstreamAddress(Scheme.TCP, "dns.example.org", 53)),
        ("tls://Dns.Example.Org.", UpstreamAddress(Scheme.TLS, "dns.example.org", 853, "", "dns.example.org")),
        ("tls://1.1.1.1#dns.example.org", UpstreamAddress(Scheme.TLS, "1.1.1.1", 853, "", "dns.example.org")),
        ("tls://192.0.2.1:8853", UpstreamAddress(Scheme.TLS, "192.0.2.1", 8853, "", "192.0.2.1")),
        ("https://dns.example", UpstreamAddress(Scheme.HTTPS, "dns.example", 443, "/dns-query", "dns.example")),
        ("tcp://bücher.example", UpstreamAddress(Scheme.TCP, "xn--bcher-kva.example", 53)),
        ("https://dns.example:444/q", UpstreamAddress(Scheme.HTTPS, "dns.example", 444, "/q", "dns.example")),
        ("https://a.example/a b/ü?x", UpstreamAddress(Scheme.HTTPS, "a.example", 443, "/a%20b/%C3%BC?x", "a.example")),
        ("https://[::1]:8443/dns-query{?dns}", UpstreamAddress(Scheme.HTTPS, "::1", 8443, "/dns-query", "::1")),
    ],
)  # fmt: skip
def test_address_is_read(text: str, expected: UpstreamAddress) -> None:
    assert parse_upstream(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("quic://dns.example.org", "wanted udp, tcp, tls or https, found 'quic'"),
        ("", "host name or an IP address"),
        ("1.1.1", "host name or an IP address, found '1.1.1'"),
        ("1.1.1.1:0", "wanted a port from 1 to 65535, found '0'"),
        ("1.1.1.1:65536", "port"),
        ("1.1.1.1:", "port"),
        ("[1.1.1.1", "IPv6 address in brackets"),
        ("[::1", "IPv6 address in brackets"),
        ("[::1]53", "wanted :PORT after the bracket"),
        ("tls://dns.example.org/path", "only https has a path"),
        ("udp://1.1.1.1#dns.example.org", "a name after # is for tls and https"),
        ("https://user@dns.example.org/", "host name"),
        ("tls://a..b", "a label has"),
    ],
)
def test_mistake_is_told(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_upstream(text, "upstream.servers[3]")
    assert str(caught.value).startswith(f"upstream.servers[3]: {text!r} is not the address of an upstream: ")
    assert hint in str(caught.value)


def test_text_form_is_an_url() -> None:
    assert str(parse_upstream("[::1]:54")) == "udp://[::1]:54"
    assert str(parse_upstream("https://dns.example.org")) == "https://dns.example.org:443/dns-query"


def test_kind_of_host_and_scheme_is_known() -> None:
    assert parse_upstream("::1").is_literal
    assert not parse_upstream("tls://dns.example.org").is_literal
    assert parse_upstream("tls://dns.example.org").is_secure
    assert not parse_upstream("tcp://::1").is_secure


@given(st.text() | st.from_regex(r"(udp|tls|https)://[\[\]a-z0-9.:%#@/]{0,20}", fullmatch=True))
def test_any_text_gives_an_address_or_the_documented_error(text: str) -> None:
    try:
        address = parse_upstream(text)
    except ConfigError:
        return
    assert 0 < address.port < 65536
    assert address.host
