"""What people do with the dashboard, in a browser: block, approve, watch; and what DNS says then."""

import time

import pytest

from tests.browser.conftest import ALLOWED, BLOCKED, NARROW, soon
from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import HOST

SINKHOLE = [HOST]


@pytest.mark.alone
def test_vendor_is_blocked_with_a_look_before_and_dig_sees_it_within_a_second(opened, installation):
    assert installation.dig(ALLOWED) == [TRUE_ADDRESS]
    page = opened.goto("/policy/new")
    page.get_by_label("Subject").fill("vendor:mistral")
    page.get_by_label("Action").select_option("block")
    page.get_by_label("Reason").fill("The trial is over")
    page.get_by_label("Owner").fill("Data office")
    page.get_by_role("button", name="Show what it would do").and_(page.locator(":visible")).last.click()
    ahead = page.locator("section.ahead")
    assert ahead.get_by_role("heading", name="What this would do").is_visible()
    assert page.get_by_label("Reason").input_value() == "The trial is over"
    assert installation.dig(ALLOWED) == [TRUE_ADDRESS]
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    began = time.monotonic()
    assert soon(lambda: installation.dig(ALLOWED) == SINKHOLE, 1.0), f"{time.monotonic() - began} s"
    assert page.url.endswith("/policy")
    assert page.get_by_role("cell", name="The trial is over").is_visible()


def test_exception_is_approved_and_its_client_is_let_through(opened, installation):
    client = "127.0.0.9"
    server = installation.server
    server.cli("exception", "request", "deepseek", "--client", client, "--reason", "a paper", "--for", "2d")
    assert installation.dig(BLOCKED, client) == SINKHOLE
    page = opened.goto("/exceptions")
    page.get_by_role("row").filter(has_text=client).get_by_role("link").first.click()
    page.get_by_role("button", name="Show what approving would do").click()
    assert page.get_by_role("heading", name="What this would do").is_visible()
    page.get_by_role("button", name="Approve", exact=True).click()
    assert soon(lambda: installation.dig(BLOCKED, client) == [TRUE_ADDRESS])
    assert installation.dig(BLOCKED) == SINKHOLE
    opened.goto("/audit")
    assert page.get_by_role("row").filter(has_text="exception").first.is_visible()


def test_hits_appear_as_they_are_recorded(opened, installation):
    page = opened.goto("/live")
    page.get_by_text("Connected: new queries").wait_for()
    name = "www.deepseek.com"
    assert page.get_by_role("row").filter(has_text=name).filter(has_text=HOST).count() == 0
    assert installation.dig(name) == SINKHOLE
    page.get_by_role("row").filter(has_text=name).filter(has_text=HOST).first.wait_for(timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_text("Paused.").is_visible()


def test_explain_box_answers_from_any_page(opened):
    page = opened.goto("/feeds")
    page.get_by_label("Name to explain").fill(BLOCKED)
    page.keyboard.press("Enter")
    page.wait_for_url("**/explain?name=*")
    assert "EDE 15" in page.locator("main").inner_text()


def test_keyboard_reaches_the_content_the_box_and_the_navigation(opened):
    page = opened.goto("/vendors")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
    assert reached[0] == "To the content"
    assert {"Sinkhole", "ask", "Explain", "Overview", "Vendors"} <= set(reached)
    opened.goto("/vendors")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_refusal_gets_the_focus_and_going_back_shows_what_the_list_is_of(opened, installation):
    page = opened.page
    page.goto(installation.url + "/policy/new")
    page.get_by_label("Subject").fill("vendor:nothing-so")
    page.get_by_role("button", name="Save").click()
    page.locator("#refused:focus").wait_for()
    opened.complaints.clear()  # the browser's own, that the answer was 422
    opened.goto("/vendors")
    page.get_by_label("Jurisdiction").select_option("US")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**jurisdiction=US**")
    page.go_back()
    assert page.get_by_label("Jurisdiction").input_value() == ""


def test_rows_are_lists_on_a_narrow_screen(opened):
    opened.page.set_viewport_size({"width": NARROW, "height": 800})
    page = opened.goto("/policy")
    shown = "one => getComputedStyle(one, '::before').content"
    assert page.locator("tbody td").first.evaluate(shown) == '"Action"'
    cut = "[...document.querySelectorAll('.rows')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert page.evaluate(cut) == 0


def test_narrow_menu_opens_by_keyboard_and_leads_on(opened):
    opened.page.set_viewport_size({"width": NARROW, "height": 800})
    page = opened.goto("/")
    page.get_by_role("button", name="Menu").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Exceptions", exact=True).click()
    page.wait_for_url("**/exceptions")
