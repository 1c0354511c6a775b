"""Where the block page listens, and that a busy port there keeps nothing from starting."""

import logging
import socket

import pytest

from sinkhole.app.check_settings import mistakes_of
from sinkhole.app.finding import Grade
from sinkhole.app.page_listeners import PageListeners, page_places
from sinkhole.config.load import load_settings
from sinkhole.errors import ConfigError
from tests.app.test_doctor import findings, settings_of


def places(tmp_path, **more) -> list[str]:
    found = page_places(settings_of(tmp_path, block_page__enabled=True, **more))
    return [f"{one.scheme}://{one.address}" for one in found]


def test_page_is_at_the_sinkhole_addresses_unless_told(tmp_path):
    assert page_places(settings_of(tmp_path, blocking__ipv4="192.0.2.1")) == []
    assert places(tmp_path, blocking__ipv4="192.0.2.1", blocking__ipv6="2001:db8::1") == [
        "http://192.0.2.1:80", "http://[2001:db8::1]:80", "https://192.0.2.1:443", "https://[2001:db8::1]:443",
    ]  # fmt: skip
    assert places(tmp_path, blocking__ipv4="192.0.2.1", block_page__http=["127.0.0.1:8080"]) == [
        "http://127.0.0.1:8080", "https://192.0.2.1:443",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"block_page.enabled": True}, "block_page.http: give an address, or set blocking.ipv4 or blocking.ipv6"),
        ({"block_page.http": ["here"]}, "block_page.http[0]: cannot listen on 'here'"),
        ({"block_page.alternatives": ["x y"]}, "wanted a product such as mistral/le-chat"),
        ({"block_page.alternatives": ["Us javascript:alert(1)"]}, "wanted a product such as mistral/le-chat"),
        ({"block_page.message": "a\x1b[31m"}, "wanted one line of printable text"),
        ({"block_page.language": "xx"}, "block_page.language"),
    ],
)
def test_mistakes_are_told(more, said):
    with pytest.raises(ConfigError) as refused:
        load_settings(None, {}, more, mistakes_of)
    assert said in str(refused.value)


def test_busy_port_is_logged_and_the_others_are_bound(tmp_path, caplog):
    logging.getLogger("sinkhole").propagate = True
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = settings_of(
            tmp_path,
            block_page__enabled=True,
            block_page__http=[busy, "127.0.0.1:0"],
            block_page__https=["127.0.0.1:0"],
        )
        listeners = PageListeners()
        listeners.open(settings)
        assert [scheme for scheme, _ in listeners.all()] == ["http", "https"]
        assert "page.not_listening" in caplog.text
    listeners.open(settings)
    assert len(listeners.all()) == 3
    listeners.open(settings_of(tmp_path))
    assert listeners.all() == []


def test_doctor_looks_at_the_page(tmp_path):
    assert findings(settings_of(tmp_path), "page") == [(Grade.GOOD, "it is off (block_page.enabled)")]
    more = {
        "block_page__enabled": True,
        "block_page__http": ["127.0.0.1:8080"],
        "block_page__https": ["127.0.0.1:8443"],
    }
    found = findings(settings_of(tmp_path, **more), "page")
    assert found[0] == (Grade.WARNING, "nobody is led to it: set blocking.ipv4 or blocking.ipv6 to its address")
    assert found[-1][1].startswith("no authority: HTTPS is refused at once")
    found = findings(settings_of(tmp_path, blocking__ipv4="192.0.2.1", blocking__mode="nxdomain", **more), "page")
    assert [text for grade, text in found if grade is Grade.WARNING] == [
        "only coached names lead to it, since blocking.mode is nxdomain",
        "blocked names lead to 192.0.2.1, and the page does not listen there",
    ]
