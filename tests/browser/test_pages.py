"""Every page in both themes, wide and narrow: nobody is shut out, nothing is cut off, and the console is silent."""

import re

import pytest

from sinkhole.app.accounts import SETUP
from sinkhole.web.pages.table import PAGES
from tests.browser.conftest import BLOCKED, COACHED, NARROW, THEMES, WIDE

PLACES = {
    "vendor": "deepseek", "client": "10.20.0.10", "group": "engineering", "domain": "ai-1-chat.example",
    "feed": "own", "number": "1",
}  # fmt: skip
FILES = (
    "/policy/subjects", "/policy/policy.toml", "/reports/evidence.{form}", "/metrics", "/healthz", "/readyz",
)  # fmt: skip
"""What is no page."""
MORE = (
    "/?span=24h", "/explain?name=chat.deepseek.com", "/reports?by=group&k=5", "/vendors?text=nothing-is-called-so",
    "/audit?text=exception", "/clients?span=24h",
)  # fmt: skip
PATHS = [
    *(one.path.format(**PLACES) for one in PAGES
      if one.method == "GET" and one.path not in FILES and not one.path.startswith((SETUP, "/login"))),
    *MORE,
]  # fmt: skip
_AXE = """
    axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations
      .filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3).join(" | ")}`))
"""
_CUT = """
    [...document.querySelectorAll("main .scroll")].filter((one) => one.scrollWidth > one.clientWidth + 1)
      .map((one) => `cut: ${one.getAttribute("aria-labelledby")}, ${one.scrollWidth} > ${one.clientWidth}`)
"""
"""Tables that have not the room that they need."""
_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("path", PATHS)
def test_page_shuts_nobody_out(path, opened, axe):
    assert complaints_of(opened.goto(path), axe) == {}


@pytest.mark.parametrize(
    "path", ["/login", "/setup", "/setup/used", "/not-there", "http://BLOCKED/", "http://COACHED/"]
)
def test_page_for_those_who_are_not_logged_in_shuts_nobody_out(path, browser, installation, axe):
    """The way in, what is refused, and what people in front of a blocked site see."""
    context = browser.new_context(reduced_motion="reduce")
    if path == "/setup":
        said = installation.server.cli(
            "admin", "link", "--role", "read", "--config", installation.folder / "sinkhole.toml"
        )
        path = re.search(r"https?://[^/\s]+(\S+)", said.stdout)[1]
    names = path.replace("BLOCKED", BLOCKED).replace("COACHED", COACHED)
    page = context.new_page()
    page.goto(names if "://" in names else installation.url + names)
    assert complaints_of(page, axe) == {}
    context.close()


def complaints_of(page, axe):
    """Return what is wrong with a page, by theme and width."""
    found = {}
    page.evaluate(axe)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            said = page.evaluate(_AXE) + (page.evaluate(_CUT) if width == WIDE else [])
            if width == NARROW and page.evaluate(_TOO_WIDE):
                said.append("scrolls sideways")
            if said:
                found[theme, width] = said
    return found
