"""Pictures of the pages for docs/dashboard.md: SINKHOLE_SCREENSHOTS=docs/images/dashboard python -m pytest -n0 this file."""

import os
from pathlib import Path

import pytest

from bench.pictures import smaller
from tests.browser.conftest import NARROW, THEMES, WIDE

FOLDER = os.environ.get("SINKHOLE_SCREENSHOTS")
SHOWN = {
    "overview": "/", "vendors": "/vendors", "vendor": "/vendors/deepseek", "clients": "/clients",
    "client": "/clients/10.20.0.10", "reports": "/reports?by=group", "bypass": "/reports/bypass", "live": "/live",
    "explain": "/explain?name=chat.deepseek.com", "policy": "/policy", "editor": "/policy/2", "overrides": "/overrides",
    "groups": "/groups", "group": "/groups/engineering", "exceptions": "/exceptions", "exception": "/exceptions/1",
    "feeds": "/feeds", "feed": "/feeds/v2fly-ai", "discovery": "/discover", "candidate": "/discover/ai-1-chat.example",
    "audit": "/audit", "entry": "/audit/9", "settings": "/settings", "access": "/access", "account": "/account",
}  # fmt: skip
ALSO_NARROW = ("overview", "vendor", "policy")
TALLEST = {WIDE: 1100, NARROW: 1400}


@pytest.mark.skipif(FOLDER is None, reason="writes pictures only where SINKHOLE_SCREENSHOTS names a folder")
@pytest.mark.parametrize("name", SHOWN)
def test_take_pictures(name, opened):
    page = opened.page
    for width in (WIDE, NARROW) if name in ALSO_NARROW else (WIDE,):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            opened.goto(SHOWN[name])
            height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST[width])
            page.set_viewport_size({"width": width, "height": max(600, height)})
            file = Path(FOLDER) / f"{name}-{theme}{'-narrow' if width == NARROW else ''}.webp"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(smaller(page.screenshot()))
