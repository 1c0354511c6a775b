"""The block page in a browser: over HTTP, and over HTTPS where the authority is trusted and where it is not."""

import pytest

from tests.browser.conftest import BLOCKED, launch

TITLE = f"{BLOCKED} is blocked"


@pytest.mark.parametrize("way", ["http", "https"])
def test_page_is_read(browser, way):
    """Over HTTPS with no warning, since the authority is installed in the browser's own store of certificates."""
    context = browser.new_context()
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = page.goto(f"{way}://{BLOCKED}/")
    assert answer.status == 403
    assert page.get_by_role("heading", level=1).inner_text() == TITLE
    assert "DPO decision 2026/14" in page.locator("body").inner_text()
    if way == "https":
        assert answer.security_details()["subjectName"] == "Sinkhole block page"
    context.close()
    assert complaints == []


def test_browser_without_the_authority_refuses_at_once(driver, installation, tmp_path):
    found = launch(driver, tmp_path, installation.mapped())
    try:
        page = found.new_page()
        with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(f"https://{BLOCKED}/", timeout=5_000)
        # On a page of its own: the first is still busy with showing the error.
        assert found.new_page().goto(f"http://{BLOCKED}/").status == 403
    finally:
        found.close()


def test_request_is_sent_and_has_a_number(browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://{BLOCKED}/")
    form = page.locator("form[action='/.sinkhole/request']")
    page.locator("details", has=form).locator("summary").click()
    form.locator("[name=reason]").fill("a paper")
    form.get_by_role("button").click()
    assert "Your request has number" in page.locator("body").inner_text()
    context.close()
