"""What the parts of a configuration do to each other, and the files it names: told at once, each with its path."""

import pytest

from sinkhole.app.check_files import every_mistake_of, file_mistakes_of
from sinkhole.app.check_settings import mistakes_of
from sinkhole.config.load import load_settings
from sinkhole.errors import ConfigError
from tests.feeds.certificate import self_signed

UPSTREAM = {"servers": ["udp://192.0.2.53"]}
PAGE = {"block_page": {"enabled": True}, "blocking": {"ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}}


def told(tables, check=mistakes_of):
    settings = load_settings(None, {}, {"upstream": UPSTREAM, **tables})
    return [mistake.removeprefix("config: ") for mistake in check(settings)]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"server": {"listen": ["127.0.0.1:8053"]}},
         "admin.listen[0]: 127.0.0.1:8053 is taken already by server.listen[0]"),
        ({"server": {"listen": ["0.0.0.0:8053"]}},
         "admin.listen[0]: 127.0.0.1:8053 is taken already by server.listen[0], as 0.0.0.0:8053"),
        ({"server": {"listen": ["127.0.0.1:53", "127.0.0.1:53"]}},
         "server.listen[1]: 127.0.0.1:53 is taken already by server.listen[0]"),
        ({"metrics": {"listen": ["[::1]:9153", "[::]:9153"]}},
         "metrics.listen[1]: [::]:9153 is taken already by metrics.listen[0], as [::1]:9153"),
        ({"metrics": {"listen": ["127.0.0.1:8053"]}},
         "metrics.listen[0]: 127.0.0.1:8053 is taken already by admin.listen[0]"),
        (PAGE | {"metrics": {"listen": ["0.0.0.0:443"]}},
         "blocking.ipv4 (for block_page.https): 192.0.2.1:443 is taken already by metrics.listen[0], as 0.0.0.0:443"),
        (PAGE | {"server": {"listen": ["[::]:80"]}},
         "blocking.ipv6 (for block_page.http): [2001:db8::1]:80 is taken already by server.listen[0], as [::]:80"),
        ({"block_page": {"enabled": True, "http": ["127.0.0.1:80"], "https": ["127.0.0.1:80"]}},
         "block_page.https: 127.0.0.1:80 is taken already by block_page.http"),
    ],
)  # fmt: skip
def test_listeners_that_collide_are_told(tables, said):
    assert told(tables) == [said]


@pytest.mark.parametrize(
    "tables",
    [
        {"server": {"listen": ["0.0.0.0:53", "[::]:53", "127.0.0.1:53"]}},
        {"server": {"listen": ["127.0.0.1:0", "127.0.0.1:0"]}, "admin": {"listen": ["127.0.0.1:0"]}},
        {"server": {"listen": ["[::]:8053", "127.0.0.2:8053"]}},
        {"server": {"listen": ["127.0.0.1:8053"]}, "admin": {"enabled": False}},
        {"server": {"listen": ["0.0.0.0:80"]}, "blocking": {"ipv4": "192.0.2.1"}},
        PAGE,
    ],
)
def test_listeners_that_get_along(tables):
    assert told(tables) == []


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "128.0.0.0/1", "2000::/3"])
def test_proxy_is_not_half_of_the_world(network):
    """Whoever is believed about who asks can be anybody, and guess passwords for ever."""
    (said,) = told({"admin": {"trusted_proxies": ["10.0.0.0/8", network]}})
    assert said.startswith("admin.trusted_proxies[1]: wanted the addresses of your proxies")
    assert network in said


def outs(*targets, kind="file", **more):
    return {"out": [{"name": f"r{n}", "kind": kind, "target": one, **more} for n, one in enumerate(targets)]}


def test_receivers_have_files_of_their_own(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    mine, same = f"{tmp_path}/a.log", f"{tmp_path}/link/../{tmp_path.name}/a.log"
    assert told(outs(mine, same)) == [
        "out[1].target (r1): 'r0' writes to this file; each receiver has a file of its own"
    ]
    (said,) = told(outs(f"{mine}.3", mine))
    assert said.startswith(f"out[1].target (r1): {mine}.3 is what {mine} is called after it was turned over")
    assert told(outs(mine, f"{mine}.6", f"{mine}.x", f"{tmp_path}/b.log")) == []


@pytest.mark.parametrize(
    ("host", "allow_private", "said"),
    [
        ("127.0.0.1", False, "127.0.0.1 is inside the network; allow_private = true would permit it"),
        ("[::1]:8443", False, "::1 is inside the network; allow_private = true would permit it"),
        ("[::ffff:10.0.0.1]", False, "is inside the network; allow_private = true would permit it"),
        ("localhost", False, "localhost has the address 127.0.0.1, which is inside the network; allow_private"),
        ("a.localhost.", False, "a.localhost. has the address 127.0.0.1, which is inside the network"),
        ("192.168.1.9", False, "192.168.1.9 is inside the network; allow_private = true would permit it"),
        ("169.254.169.254", True, "169.254.169.254 is where no receiver can be"),
        ("[fe80::1]", True, "fe80::1 is where no receiver can be"),
        ("[::ffff:169.254.169.254]", True, "is where no receiver can be"),
        ("0.0.0.0", True, "0.0.0.0 is where no receiver can be"),
    ],
)  # fmt: skip
def test_webhook_that_leads_inside_is_told(host, allow_private, said):
    """CWE-918: what the settings alone tell; a name is judged each time that it is looked up."""
    (found,) = told(outs(f"https://{host}/hook", kind="webhook", allow_private=allow_private))
    assert found.startswith("out[0].target (r0): ")
    assert said in found


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "localhost"])
def test_webhook_may_lead_inside_where_that_is_permitted(host):
    assert told(outs(f"http://{host}/hook", kind="webhook", allow_private=True)) == []
    assert told(outs("https://hook.example.org/x", "https://192.0.0.9/x", kind="webhook")) == []


def test_files_that_are_missing_or_no_use_are_told_at_once(tmp_path):
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty"
    empty.write_text("")
    self_signed(tmp_path, "localhost")
    good = tmp_path / "localhost.pem"
    tables = {
        "admin": {"certificate": str(good), "key": str(missing)},
        "upstream": UPSTREAM | {"ca_file": str(empty)},
        "mail": {"server": "mail.example.org:587", "user": "x", "password_file": str(empty), "ca_file": str(missing)},
        "out": [
            {"name": "a", "kind": "webhook", "target": "https://x.example/", "secret_file": str(missing),
             "authorization_file": str(tmp_path), "ca_file": str(good)},
            {"name": "b", "kind": "syslog", "target": "tls://x.example", "certificate": str(empty)},
        ],
    }  # fmt: skip
    assert told(tables) == []
    assert (
        told(tables, file_mistakes_of)
        == told(tables, every_mistake_of)
        == [
            f"admin.certificate: {missing}: cannot be read: No such file or directory",
            f"upstream.ca_file: {empty}: wanted a PEM file of certificates",
            f"mail.ca_file: {missing}: cannot be read: No such file or directory",
            f"mail.password_file: {empty}: wanted a line of printable ASCII",
            f"out[0].secret_file (a): {missing}: cannot be read: No such file or directory",
            f"out[0].authorization_file (a): {tmp_path}: cannot be read: Is a directory",
            f"out[1].certificate (b): {empty}: wanted a PEM file of a certificate and its key, without a pass phrase",
        ]
    )


def test_key_of_another_certificate_is_told(tmp_path):
    for name in ("a.example", "b.example"):
        self_signed(tmp_path, name)
    mine, other = tmp_path / "a.example.pem", tmp_path / "b.example.pem"
    tables = {"admin": {"certificate": str(mine), "key": str(other)}}
    assert told(tables, file_mistakes_of) == [
        f"admin.certificate: {other}: is not the key of the certificate in {mine}"
    ]
    tables["admin"]["key"] = str(mine)
    assert told(tables, file_mistakes_of) == []
    tables["admin"]["key"] = str(tmp_path / "none")
    assert told(tables | {"admin": tables["admin"] | {"enabled": False}}, file_mistakes_of) == []


@pytest.mark.parametrize(
    ("flags", "count"),
    [({"admin.hosts": ["a:b"]}, 1), ({"blocking.ipv4": "x"}, 0), ({"access.allow": ["10.0.0.1/8"]}, 1),
     ({"block_page.alternatives": ["x y"]}, 1), ({"server.workers": 0}, 1)],
)  # fmt: skip
def test_what_was_found_is_said_once(flags, count):
    with pytest.raises(ConfigError) as refused:
        load_settings(None, {}, flags)
    said = str(refused.value)
    ((value,),) = [given if isinstance(given, list) else [given] for given in flags.values()]
    assert said.count("found") == count
    assert said.count(repr(value)) == 1
