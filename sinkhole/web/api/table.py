"""All routes of the API: what each takes, the right it needs, and the area it is in."""

import json
from functools import cache

from aiohttp import web

from sinkhole.app.rights import Right
from sinkhole.web.api import (
    access,
    audit,
    catalogue,
    clients,
    discover,
    exceptions,
    explain,
    feeds,
    groups,
    hits,
    outward,
    overrides,
    policy,
    policy_file,
    reports,
    session,
    status,
)
from sinkhole.web.openapi import description
from sinkhole.web.route import ANYONE, Kind, Route

READ, REPORT, MANAGE = Right.READ, Right.REPORT, Right.MANAGE


async def describe() -> web.StreamResponse:
    """Describe the API (OpenAPI 3.1)."""
    return web.Response(body=_description(), content_type="application/json")


@cache
def _description() -> bytes:
    return json.dumps(description(ROUTES)).encode()


ROUTES = (
    Route("GET", "/openapi.json", READ, "status", describe, Kind.OWN),
    Route("GET", "/status", READ, "status", status.status),
    Route("GET", "/doctor", READ, "status", status.doctor),
    Route("GET", "/settings", READ, "settings", status.settings),
    # The session
    Route("POST", "/session", ANYONE, "status", session.log_in, Kind.OWN, status=204),
    Route("GET", "/session", READ, "status", session.who_am_i, Kind.OWN, answers=session.Me),
    Route("DELETE", "/session", READ, "status", session.log_out, Kind.OWN, answers=session.LoggedOut),
    Route("POST", "/session/password", READ, "status", session.change_password, Kind.OWN, status=204),
    Route("DELETE", "/sessions", READ, "status", session.log_out_everywhere, Kind.OWN, answers=session.LoggedOut),
    # The catalogue
    Route("GET", "/catalogue", READ, "catalogue", catalogue.catalogue),
    Route("GET", "/catalogue/search", READ, "catalogue", catalogue.search_catalogue),
    Route("GET", "/vendors", READ, "catalogue", catalogue.list_vendors),
    Route("GET", "/vendors/{vendor}", READ, "catalogue", catalogue.show_vendor),
    Route("GET", "/categories", READ, "catalogue", catalogue.list_categories),
    Route("GET", "/bypass", READ, "catalogue", catalogue.list_ways),
    # Policy
    Route("GET", "/policy/statements", READ, "policy", policy.list_statements),
    Route("GET", "/policy/statements/{number}", READ, "policy", policy.show_statement),
    Route("POST", "/policy/statements", MANAGE, "policy", policy.add_statement, Kind.CHANGE, status=201,
          current=policy.statement_before),
    Route("DELETE", "/policy/statements/{number}", MANAGE, "policy", policy.delete_statement, Kind.CHANGE,
          current=policy.show_statement),
    Route("POST", "/policy/preview", REPORT, "policy", policy.preview_change, Kind.PREVIEW),
    Route("GET", "/policy/file", READ, "policy", policy_file.export_policy),
    Route("POST", "/policy/file/plan", REPORT, "policy", policy_file.plan_policy_file, Kind.PREVIEW),
    Route("POST", "/policy/file/apply", MANAGE, "policy", policy_file.apply_policy_file, Kind.CHANGE,
          current=policy_file.export_policy),
    Route("GET", "/policy/expectations", READ, "policy", policy_file.list_expectations),
    Route("GET", "/explain", READ, "explain", explain.explain_name),
    # Groups
    Route("GET", "/groups", READ, "groups", groups.list_groups),
    Route("GET", "/groups/{group}", READ, "groups", groups.show_group),
    Route("DELETE", "/groups/{group}", MANAGE, "groups", groups.delete_group, Kind.CHANGE,
          current=groups.group_before),
    Route("POST", "/groups/{group}/members", MANAGE, "groups", groups.add_members, Kind.CHANGE,
          current=groups.group_before),
    Route("POST", "/groups/{group}/members/remove", MANAGE, "groups", groups.remove_members, Kind.CHANGE,
          current=groups.group_before),
    # Exceptions
    Route("GET", "/exceptions", READ, "exceptions", exceptions.list_exceptions),
    Route("POST", "/exceptions", MANAGE, "exceptions", exceptions.ask_for_exception, Kind.NOTE, status=201),
    Route("POST", "/exceptions/approved", MANAGE, "exceptions", exceptions.grant_exception, Kind.CHANGE, status=201),
    Route("GET", "/exceptions/{number}", READ, "exceptions", exceptions.show_exception),
    Route("POST", "/exceptions/{number}/approve", MANAGE, "exceptions", exceptions.approve, Kind.CHANGE,
          current=exceptions.show_exception, refusal=409),
    Route("POST", "/exceptions/{number}/deny", MANAGE, "exceptions", exceptions.deny, Kind.NOTE,
          current=exceptions.show_exception, refusal=409),
    Route("POST", "/exceptions/{number}/revoke", MANAGE, "exceptions", exceptions.revoke, Kind.CHANGE,
          current=exceptions.show_exception, refusal=409),
    # What goes before statements
    Route("GET", "/overrides", READ, "overrides", overrides.list_overrides),
    Route("POST", "/overrides/pause", MANAGE, "overrides", overrides.pause, Kind.CHANGE, status=201),
    Route("POST", "/overrides/lockdown", MANAGE, "overrides", overrides.lockdown, Kind.CHANGE, status=201),
    Route("DELETE", "/overrides/{kind}/{number}", MANAGE, "overrides", overrides.end, Kind.CHANGE),
    # Feeds
    Route("GET", "/feeds", READ, "feeds", feeds.list_feeds),
    Route("POST", "/feeds", MANAGE, "feeds", feeds.put_feed, Kind.CHANGE, status=201, current=feeds.feed_before),
    Route("GET", "/feeds/{feed}", READ, "feeds", feeds.show_feed),
    Route("DELETE", "/feeds/{feed}", MANAGE, "feeds", feeds.delete_feed, Kind.CHANGE, current=feeds.feed_now,
          then=feeds.forget_feed),
    Route("GET", "/feeds/{feed}/diff", READ, "feeds", feeds.feed_diff),
    Route("GET", "/feeds/{feed}/rejections", READ, "feeds", feeds.feed_rejections),
    Route("POST", "/feeds/{feed}/enable", MANAGE, "feeds", feeds.enable_feed, Kind.CHANGE, current=feeds.feed_now),
    Route("POST", "/feeds/{feed}/disable", MANAGE, "feeds", feeds.disable_feed, Kind.CHANGE, current=feeds.feed_now),
    Route("POST", "/feeds/{feed}/approve", MANAGE, "feeds", feeds.approve_feed, Kind.CHANGE, current=feeds.feed_now,
          refusal=409),
    Route("POST", "/feeds/{feed}/rollback", MANAGE, "feeds", feeds.roll_back_feed, Kind.CHANGE,
          current=feeds.feed_now, refusal=409),
    Route("GET", "/sync", READ, "feeds", feeds.show_sync, Kind.OWN, answers=feeds.SyncShown),
    Route("POST", "/sync", MANAGE, "feeds", feeds.start_sync, Kind.OWN, status=202, answers=feeds.SyncShown),
    Route("GET", "/sync/runs", READ, "feeds", feeds.list_runs),
    Route("GET", "/sync/live", READ, "feeds", feeds.live_sync, Kind.LIVE),
    # What was recorded
    Route("GET", "/hits", REPORT, "hits", hits.list_hits),
    Route("GET", "/hits/top", REPORT, "hits", hits.count_by),
    Route("GET", "/hits/live", REPORT, "hits", hits.live_hits, Kind.LIVE),
    Route("GET", "/reports/vendors", REPORT, "reports", reports.vendors),
    Route("GET", "/reports/clients", REPORT, "reports", reports.clients),
    Route("GET", "/reports/bypass", REPORT, "reports", reports.bypass),
    Route("GET", "/clients", REPORT, "clients", clients.list_clients),
    Route("GET", "/discover", REPORT, "discover", discover.list_candidates),
    Route("GET", "/discover/{domain}", REPORT, "discover", discover.show_candidate),
    Route("POST", "/discover/{domain}/accept", MANAGE, "discover", discover.accept_candidate, Kind.CHANGE,
          current=discover.candidate_now),
    Route("POST", "/discover/{domain}/ignore", MANAGE, "discover", discover.ignore_candidate, Kind.CHANGE,
          current=discover.candidate_now, refusal=409),
    Route("POST", "/discover/{domain}/reopen", MANAGE, "discover", discover.reopen_candidate, Kind.CHANGE,
          current=discover.candidate_now, refusal=409),
    Route("GET", "/alerts", REPORT, "hits", outward.list_alerts),
    Route("GET", "/receivers", READ, "settings", outward.list_receivers),
    # Who may do all this
    Route("GET", "/accounts", MANAGE, "access", access.list_accounts),
    Route("POST", "/accounts/links", MANAGE, "access", access.make_link, Kind.NOTE, status=201),
    Route("GET", "/accounts/{account}", MANAGE, "access", access.show_account),
    Route("DELETE", "/accounts/{account}", MANAGE, "access", access.delete_account, Kind.NOTE),
    Route("POST", "/accounts/{account}/role", MANAGE, "access", access.change_role, Kind.NOTE),
    Route("POST", "/accounts/{account}/log-out", MANAGE, "access", access.log_account_out, Kind.NOTE),
    Route("GET", "/tokens", MANAGE, "access", access.list_tokens),
    Route("POST", "/tokens", MANAGE, "access", access.make_token, Kind.NOTE, status=201),
    Route("DELETE", "/tokens/{token}", MANAGE, "access", access.revoke_token, Kind.NOTE),
    Route("GET", "/audit", REPORT, "audit", audit.list_entries),
    Route("GET", "/audit/chain", REPORT, "audit", audit.verify_chain),
    Route("GET", "/audit/{number}", REPORT, "audit", audit.show_entry),
)  # fmt: skip
"""Which right goes with which route: tests/web walks them all."""
