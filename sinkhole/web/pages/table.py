"""All pages, and the right that each takes."""

from sinkhole.app.accounts import SETUP
from sinkhole.app.rights import Right
from sinkhole.web.pages import access, figures, home
from sinkhole.web.pages.route import PageRoute
from sinkhole.web.route import ANYONE

READ, REPORT = Right.READ, Right.REPORT

PAGES = (
    PageRoute("GET", "/", READ, "status", home.home),
    PageRoute("GET", "/login", ANYONE, "status", access.login_form),
    PageRoute("POST", "/login", ANYONE, "status", access.log_in),
    PageRoute("POST", "/logout", READ, "status", access.log_out),
    PageRoute("GET", "/account", READ, "status", access.my_account),
    PageRoute("GET", SETUP + "{secret}", ANYONE, "status", access.setup_form),
    PageRoute("POST", SETUP + "{secret}", ANYONE, "status", access.set_up),
    PageRoute("GET", "/metrics", REPORT, "status", figures.metrics),
    PageRoute("GET", "/healthz", ANYONE, "status", figures.healthz),
    PageRoute("GET", "/readyz", ANYONE, "status", figures.readyz),
)
"""Which right goes with which page: tests/web walks them all."""
