"""Pictures of the pages for docs/dashboard.md, made where SINKHOLE_SCREENSHOTS names the folder for them."""

from pathlib import Path

import pytest

from bench.pictures import smaller
from tests.browser.conftest import NARROW, PICTURES, THEMES, WIDE

SHOWN = {
    "overview": "/", "vendors": "/vendors", "vendor": "/vendors/deepseek", "clients": "/clients",
    "client": "/clients/10.20.0.59", "reports": "/reports?by=group", "bypass": "/reports/bypass", "live": "/live",
    "explain": "/explain?name=chat.deepseek.com", "policy": "/policy", "editor": "/policy/2", "overrides": "/overrides",
    "groups": "/groups", "group": "/groups/engineering", "exceptions": "/exceptions", "exception": "/exceptions/1",
    "feeds": "/feeds", "feed": "/feeds/own", "discovery": "/discover", "candidate": "/discover/ai-1-chat.example",
    "audit": "/audit", "entry": "/audit/9", "settings": "/settings", "access": "/access", "account": "/account",
}  # fmt: skip
ALSO_NARROW = ("overview", "vendor", "policy")
_AS_INSTALLED = """
    (folder) => document.querySelectorAll("td").forEach((one) => {
      one.innerHTML = one.innerHTML.replace(`${folder}/data`, "/var/lib/sinkhole");
    })
"""
"""The folder of a test is nobody's."""
TALLEST = {WIDE: 1100, NARROW: 1400}


@pytest.mark.skipif(PICTURES is None, reason="writes pictures only where SINKHOLE_SCREENSHOTS names a folder")
@pytest.mark.parametrize("name", SHOWN)
def test_take_pictures(name, opened, installation):
    page = opened.page
    for width in (WIDE, NARROW) if name in ALSO_NARROW else (WIDE,):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            opened.goto(SHOWN[name])
            page.evaluate(_AS_INSTALLED, str(installation.folder))
            height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST[width])
            page.set_viewport_size({"width": width, "height": max(600, height)})
            file = Path(PICTURES) / f"{name}-{theme}{'-narrow' if width == NARROW else ''}.webp"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(smaller(page.screenshot()))
