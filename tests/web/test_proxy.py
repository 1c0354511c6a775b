"""Behind a proxy: it alone is believed about who asks and how."""

from aiohttp.test_utils import make_mocked_request

from sinkhole.config.schema import AdminSettings
from sinkhole.web.peer import Peers


class _Transport:
    def __init__(self, address):
        self._address = address

    def get_extra_info(self, name, default=None):
        return (self._address, 1234) if name == "peername" else default


def peer(address, settings=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/", headers={"Host": "x.example:443"} | named, transport=_Transport(address))
    return Peers(settings or AdminSettings(trusted_proxies=("192.0.2.0/24",))).of(request)


def test_proxy_is_believed():
    found = peer("192.0.2.1", X_Forwarded_For="203.0.113.9, 198.51.100.7", X_Forwarded_Proto="https")
    assert (found.address, found.scheme, found.origin) == ("198.51.100.7", "https", "https://x.example:443")


def test_chain_of_own_proxies_is_followed():
    assert peer("192.0.2.1", X_Forwarded_For="203.0.113.9, 192.0.2.2").address == "203.0.113.9"


def test_others_are_not_believed():
    found = peer("203.0.113.1", X_Forwarded_For="127.0.0.1", X_Forwarded_Proto="https")
    assert (found.address, found.scheme) == ("203.0.113.1", "http")


def test_nonsense_of_a_proxy_is_left_out():
    found = peer("192.0.2.1", X_Forwarded_For="unknown", X_Forwarded_Proto="gopher")
    assert (found.address, found.scheme) == ("192.0.2.1", "http")
