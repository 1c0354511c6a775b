"""All pages, and the right that each takes."""

from sinkhole.app.accounts import SETUP
from sinkhole.app.rights import Right
from sinkhole.web.pages import (
    access,
    bypass,
    client,
    clients,
    dossier,
    explain,
    figures,
    live,
    overview,
    reports,
    reveals,
    vendors,
)
from sinkhole.web.pages.route import PageRoute
from sinkhole.web.pages.steering import STEERING
from sinkhole.web.route import ANYONE

READ, REPORT, MANAGE = Right.READ, Right.REPORT, Right.MANAGE

PAGES = (
    PageRoute("GET", "/", READ, "status", overview.overview, menu="Overview", keeps_span=True),
    PageRoute("GET", "/vendors", READ, "catalogue", vendors.vendors, menu="Vendors", keeps_span=True),
    PageRoute("GET", "/vendors/{vendor}", READ, "catalogue", dossier.dossier),
    PageRoute("GET", "/clients", REPORT, "clients", clients.clients, menu="Clients", keeps_span=True),
    PageRoute("GET", "/clients/{client}", REPORT, "hits", client.client),
    PageRoute("GET", "/reports", REPORT, "reports", reports.reports, menu="Reports"),
    PageRoute("GET", "/reports/bypass", REPORT, "reports", bypass.bypass),
    PageRoute("GET", "/reports/reveal", MANAGE, "clients", reveals.reveal_form),
    PageRoute("POST", "/reports/reveal", MANAGE, "clients", reveals.reveal_client),
    PageRoute("GET", "/reports/evidence.{form}", REPORT, "reports", reports.evidence_file),
    PageRoute("GET", "/live", REPORT, "hits", live.live, menu="Live"),
    PageRoute("GET", "/explain", READ, "explain", explain.explain_page),
    *STEERING,
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
"""Which right goes with which page: tests/web walks them all. What has a `menu` is in the navigation, in this order."""
