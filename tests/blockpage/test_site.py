"""What the page answers, over real connections."""

import asyncio
import json
import re
import ssl

import pytest

from sinkhole.blockpage.answer import content_policy
from sinkhole.blockpage.facts import Facts
from sinkhole.blockpage.texts import TEXTS
from sinkhole.blockpage.view import House
from sinkhole.policy.basis import Basis
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import Action, Verdict
from tests.blockpage.served import fields_of, limits, said, served
from tests.policy.world import make_policy, override, statement

NAME = "chat.deepseek.example"
EVIL = "<script>alert(1)</script>"


async def test_page_tells_who_what_why_and_what_instead():
    async with served(owner="Data office") as place, place.request(NAME) as response:
        page = await response.text()
        assert response.status == 403
        assert response.content_type == "text/html"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Connection"] == "close"
    assert said(page) == f"{NAME} is blocked"
    for words in (
        "Example Works · Data office", "DeepSeek Chat by DeepSeek (CN)", "Vendor DeepSeek: blocked for everyone",
        "Cloud Notes", "https://notes.cloud.example/", "mailto:it@example.org", "Read the rules.", "15 (Blocked)",
    ):  # fmt: skip
        assert words in page, words
    assert '"https://deepseek.example/"' not in page


async def test_page_has_nothing_that_runs_and_says_so():
    async with served() as place, place.request(NAME) as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy == content_policy(style)
    assert "unsafe" not in policy
    assert not re.search(r"<script|\son\w+=|style=|javascript:|https?://(?!notes\.cloud)", page)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers


async def test_words_of_people_and_of_the_network_are_escaped():
    policy = make_policy([statement(1, "block vendor:deepseek", reason=EVIL)])
    house = House(EVIL, (), EVIL, (f"{EVIL} https://x.example/?a&b",), requests=True, minutes=1)
    facts = Facts("", {"deepseek": EVIL}, {}, {"chat": EVIL})
    async with served(policy, house=house, facts=facts, owner=EVIL) as place:
        _, page = await place.get(NAME)
        assert EVIL not in page
        assert page.count("&lt;script&gt;") >= 6
        for host in (EVIL, f"{NAME}/{EVIL}", "a\tb", '"><img src=x>'):
            status, page = await place.get(host)
            assert (status, EVIL in page, "<img" in page) == (404, False, False)
        assert EVIL not in (await place.get(NAME, path=f"/{EVIL}?q={EVIL}"))[1]


async def test_name_that_is_not_blocked_for_the_client_is_said_to_be_open():
    groups = [Group("lab", ("127.0.0.0/8",))]
    policy = make_policy(["block vendor:deepseek", "allow vendor:deepseek for lab"], groups=groups)
    async with served(policy) as place:
        async with place.request(NAME) as response:
            page = await response.text()
            assert (response.status, response.headers["Retry-After"]) == (503, "10")
        assert said(page) == f"{NAME} is not blocked for you"
        assert "<form" not in page


async def test_block_by_what_the_answer_leads_to_is_told():
    verdict = Verdict(Action.BLOCK, "vendor:deepseek", "all", 1, vendor="deepseek", via="deepseek.example")
    async with served(leads_to={"alias.example": verdict}) as place:
        status, page = await place.get("alias.example")
        assert (status, said(page)) == (403, "alias.example is blocked")
        assert "It is blocked because it leads to deepseek.example." in page


async def test_who_may_not_be_told_learns_the_policy_and_not_the_words_of_the_house():
    policy = make_policy(
        [
            statement(1, "block vendor:deepseek", reason="secret why"),
            statement(2, "coach vendor:writer", reason="notice"),
        ]
    )
    async with served(policy, owner="secret owner", told=False) as place:
        for accept in ("text/html", "application/json", "*/*"):
            _, body = await place.get(NAME, accept)
            assert ("DeepSeek" in body, "secret" in body, "it@example.org" in body) == (True, False, False)
        assert "notice" in notice_of(await place.get("writer.example"))


def notice_of(answer: tuple[int, str]) -> str:
    """Return what stands in the notice of a page."""
    return re.findall(r'<section class="notice".*?</section>', answer[1], re.DOTALL)[0]


async def test_law_is_451_and_a_lockdown_is_named():
    policy = make_policy([statement(1, "block vendor:deepseek", basis=Basis.LAW)])
    async with served(policy) as place:
        status, page = await place.get(NAME)
        assert (status, "The operator must obey somebody outside" in page) == (451, True)
    policy = make_policy(["allow ai"], overrides=[override("lockdown ai", 4, reason="incident", hours=99_999)])
    async with served(policy) as place:
        _, page = await place.get(NAME)
        assert "Lockdown 4. AI services: blocked for everyone" in page


async def test_visit_without_a_name():
    async with served() as place:
        for host in ("127.0.0.1", "[::1]:80", ""):
            status, page = await place.get(host)
            assert (status, said(page)) == (404, "This is where blocked names lead")


async def test_programs_get_problem_json():
    async with served() as place, place.request(NAME, accept="application/json") as response:
        assert (response.status, response.content_type) == (403, "application/problem+json")
        told = json.loads(await response.text())
    assert told["title"] == f"{NAME} is blocked"
    assert (told["policy"], told["scope"], told["action"]) == ("vendor:deepseek", "all", "block")
    assert told["extended_error"] == 15
    assert told["alternatives"] == [{"name": "Cloud Notes", "url": "https://notes.cloud.example/"}]
    assert told["contact"] == ["mailto:it@example.org"]


@pytest.mark.parametrize(
    ("headers", "kind", "body"),
    [
        ({"Sec-Fetch-Dest": "image"}, "image/gif", b"GIF89a"), ({"Sec-Fetch-Dest": "script"}, "text/plain", b""),
        ({"Sec-Fetch-Dest": "iframe"}, "text/plain", b""), ({"Accept": "*/*"}, "text/plain", NAME.encode()),
    ],
)  # fmt: skip
async def test_others_get_what_fits_and_is_short(headers, kind, body):
    async with served() as place, place.request(NAME, headers=headers) as response:
        found = await response.read()
        assert (response.status, response.content_type) == (403, kind)
        assert found[: len(body)] == body
        assert len(found) < 400
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_preflight_permits_nothing():
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    async with served() as place, place.request(NAME, method="OPTIONS", headers=headers) as response:
        assert (response.status, await response.read()) == (403, b"")
        assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_other_methods_are_answered_in_few_words(method):
    async with served() as place:
        async with place.request(NAME, "/v1/chat", method, data=b"x" * 2000, accept="application/json") as response:
            assert (response.status, response.content_type) == (403, "application/problem+json")
        assert (place.desk.asked, place.desk.gone_on) == ([], [])


async def test_head_has_no_body():
    async with served() as place, place.request(NAME, method="HEAD") as response:
        assert (response.status, await response.read()) == (403, b"")
        assert int(response.headers["Content-Length"]) > 1000


async def test_page_speaks_the_language_of_the_browser():
    async with served(language="auto") as place:
        _, page = await place.get(NAME, headers={"Accept-Language": "de-CH, en;q=0.5"})
        assert said(page) == f"{NAME} ist gesperrt"
        assert '<html lang="de">' in page
        assert "Chat-Assistenten" in page


def test_languages_put_the_same_things_in():
    english, german = TEXTS["en"], TEXTS["de"]
    for field in english.__dataclass_fields__:
        one, other = getattr(english, field), getattr(german, field)
        if isinstance(one, dict) and field != "categories":
            assert one.keys() == other.keys(), field
        places = [set(re.findall(r"\{\w+\}", str(text))) for text in (one, other)]
        assert places[0] == places[1], field


async def test_notice_is_handed_back_to_go_on():
    async with served() as place:
        status, page = await place.get("writer.example")
        assert (status, said(page)) == (403, "Please read this before you use writer.example")
        assert place.desk.gone_on == []
        fields = fields_of(page, "continue")
        status, page = await place.send("writer.example", "continue", fields)
        assert (status, said(page)[:17]) == (200, "You may go on unt")
        assert place.desk.gone_on == [(fields["token"], "127.0.0.1")]


async def test_request_for_an_exception_is_narrow_and_has_the_reference_of_the_page():
    async with served() as place:
        _, page = await place.get(NAME)
        (reference,) = re.findall(r"<code>(.*?)</code>", page)
        fields = fields_of(page, "request") | {"reason": " a  paper\r\n\x1b[31m ", "days": "7"}
        status, page = await place.send(NAME, "request", fields)
        assert (status, "Your request has number 1." in page) == (200, True)
        (asked,) = place.desk.asked
        assert asked[:4] == ("127.0.0.1", "product:deepseek/chat", "a paper [31m", 7)
        assert asked[4][5:] == reference[5:]  # the minute may have passed
        assert 'action="/.sinkhole/request"' not in page


async def test_without_a_product_an_exception_is_asked_for_the_name():
    policy = make_policy(["block domain:plain.example"])
    async with served(policy) as place:
        fields = await place.form("www.plain.example", "request") | {"reason": "r", "days": "1"}
        await place.send("www.plain.example", "request", fields)
        assert place.desk.asked[0][1] == "domain:www.plain.example"


async def test_requests_can_be_turned_off():
    house = House("", (), "", (), requests=False, minutes=1)
    async with served(house=house) as place:
        _, page = await place.get(NAME)
        assert "/.sinkhole/request" not in page


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": "", "days": "7"}, 400), ({"reason": "\x00\n ", "days": "7"}, 400), ({"reason": "r"}, 400),
        ({"reason": "r", "days": "9999"}, 400), ({"reason": "r" * 501, "days": "7"}, 400),
        ({"reason": "r" * 9000, "days": "7"}, 413),
    ],
)  # fmt: skip
async def test_what_is_no_request_asks_for_nothing(fields, status):
    async with served() as place:
        token = await place.form(NAME, "request")
        assert (await place.send(NAME, "request", token | fields))[0] == status
        assert place.desk.asked == []


async def test_what_was_typed_is_kept_if_it_comes_from_a_form_of_ours():
    async with served() as place:
        token = await place.form(NAME, "request")
        fields = {"reason": "my <paper>", "days": "9999"}
        assert "my &lt;paper&gt;</textarea>" in (await place.send(NAME, "request", token | fields))[1]
        assert "paper" not in (await place.send(NAME, "request", token | fields | {"form": ""}))[1]


async def test_compressed_form_that_is_none_is_refused():
    async with served() as place:
        head = f"POST /.sinkhole/request HTTP/1.1\r\nHost: {NAME}\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        assert (await raw(place.http, f"{head}{kind}no gzip".encode()))[9:12] == b"400"


async def test_forms_of_others_are_refused():
    """CSRF: the token is of this client and name, and the browser says where a form comes from."""
    async with served() as place:
        fields = await place.form(NAME, "request") | {"reason": "r", "days": "7"}
        writer = await place.form("writer.example", "continue")
        for name, form, sent, headers in (
            (NAME, "request", {**fields, "form": ""}, {}),
            (NAME, "request", {**fields, "form": writer["form"]}, {}),
            ("writer.example", "request", fields, {}),
            (NAME, "request", fields, {"Sec_Fetch_Site": "cross-site"}),
            (NAME, "request", fields, {"Sec_Fetch_Site": "same-site"}),
        ):
            assert (await place.send(name, form, sent, **headers))[0] == 403
        assert (place.desk.asked, place.desk.gone_on) == ([], [])
    async with served() as place:
        for origin in ("https://evil.example", "null", "http://[", f"http://{NAME}:99"):
            assert (await place.send(NAME, "request", fields, Origin=origin))[0] == 403
        assert (await place.send(NAME, "request", fields, Origin=f"http://{NAME}"))[0] == 200
        assert len(place.desk.asked) == 1


async def test_get_never_changes_anything():
    async with served() as place:
        fields = await place.form("writer.example", "continue")
        query = "&".join(f"{key}={value}" for key, value in fields.items())
        for method in ("GET", "HEAD"):
            async with place.request("writer.example", f"/.sinkhole/continue?{query}", method) as response:
                assert response.status == 403
        assert place.desk.gone_on == []


async def test_forms_are_limited_and_failures_tell_no_inside():
    async with served() as place:
        fields = await place.form(NAME, "request") | {"reason": "r", "days": "7"}
        place.desk.refuses = True
        status, page = await place.send(NAME, "request", fields)
        assert (status, "a secret" in page, "This could not be done now." in page) == (409, False, True)
        statuses = [(await place.send(NAME, "request", fields))[0] for _ in range(6)]
        assert statuses[-1] == 429
        place.desk.refuses = False
        assert place.desk.asked == []


async def raw(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    """Send octets, and return all that comes back before the end."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except ConnectionResetError:
        return b""
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a.example\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"), (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", b"400"), (b"GET / HTTP/1.0\r\n\r\n", b"404"),
        (b"BREW / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"400"),
    ],
)  # fmt: skip
async def test_broken_requests_get_a_bare_status(data, status):
    async with served() as place:
        answer = await raw(place.http, data)
        assert answer[9:12] == status
        assert b"script" not in answer
        assert b"Traceback" not in answer


async def test_slow_clients_are_cut_off_and_make_room():
    async with served(limits=limits(seconds=0.3, connections=2)) as place:
        loop = asyncio.get_running_loop()
        began = loop.time()
        slow = [raw(place.http, data) for data in (b"", b"GET / HTTP/1.1\r\nHost: a.ex")]
        await asyncio.gather(*slow)
        assert 0.2 < loop.time() - began < 2
        assert (await place.get(NAME))[0] == 403
        assert len(place.door) <= 1


async def test_too_many_connections_are_reset_at_once():
    async with served(limits=limits(per_client=2)) as place:
        held = [await asyncio.open_connection("127.0.0.1", place.http) for _ in range(2)]
        while len(place.door) < 2:
            await asyncio.sleep(0)
        assert await asyncio.wait_for(raw(place.http, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), 1) == b""
        for _, writer in held:
            writer.close()
    async with served(limits=limits(rate=1, burst=2)) as place:
        answers = [await raw(place.http, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") for _ in range(4)]
        assert [bool(answer) for answer in answers] == [True, True, False, False]


async def test_networks_that_are_not_served_see_nothing():
    async with served(allow=["192.0.2.0/24"]) as place:
        assert await raw(place.http, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") == b""


async def test_ipv6():
    async with served(host="::1") as place:
        status, page = await place.get(NAME)
        assert (status, said(page)) == (403, f"{NAME} is blocked")
        fields = fields_of(page, "request") | {"reason": "r", "days": "7"}
        await place.send(NAME, "request", fields)
        assert place.desk.asked[0][0] == "::1"


async def test_without_an_authority_https_is_refused_fast():
    async with served() as place:
        began = asyncio.get_running_loop().time()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with pytest.raises(OSError):  # noqa: PT011 - a reset, or the end of the connection
            await asyncio.open_connection("127.0.0.1", place.https, ssl=context, server_hostname=NAME)
        assert asyncio.get_running_loop().time() - began < 1
