"""All pages, and the right that each takes."""

from sinkhole.app.accounts import SETUP
from sinkhole.app.rights import Right
from sinkhole.web.pages import access, dossier, explain, overview, vendors
from sinkhole.web.pages.route import PageRoute
from sinkhole.web.pages.steering import STEERING
from sinkhole.web.route import ANYONE

READ = Right.READ

PAGES = (
    PageRoute("GET", "/", READ, "status", overview.overview, menu="Overview", keeps_span=True),
    PageRoute("GET", "/vendors", READ, "catalogue", vendors.vendors, menu="Vendors", keeps_span=True),
    PageRoute("GET", "/vendors/{vendor}", READ, "catalogue", dossier.dossier),
    PageRoute("GET", "/explain", READ, "explain", explain.explain_page),
    *STEERING,
    PageRoute("GET", "/login", ANYONE, "status", access.login_form),
    PageRoute("POST", "/login", ANYONE, "status", access.log_in),
    PageRoute("POST", "/logout", READ, "status", access.log_out),
    PageRoute("GET", "/account", READ, "status", access.my_account),
    PageRoute("GET", SETUP + "{secret}", ANYONE, "status", access.setup_form),
    PageRoute("POST", SETUP + "{secret}", ANYONE, "status", access.set_up),
)
"""Which right goes with which page: tests/web walks them all. What has a `menu` is in the navigation, in this order."""
