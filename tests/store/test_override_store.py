"""Pauses, lockdowns and grants in the store."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.statement import Group
from sinkhole.policy.subject import Subject
from sinkhole.store.audit import entries
from sinkhole.store.override_store import OverrideStore
from sinkhole.store.policy_store import PolicyStore
from sinkhole.store.retention import Retention, retain

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
AI, VPN = Subject.from_text("ai"), Subject.from_text("bypass:vpn")
PAUSE = Override(OverrideKind.PAUSE, 0, (), NOW + HOUR, group="lab", reason="demo", owner="Bob")
LOCKDOWN = Override(OverrideKind.LOCKDOWN, 0, (AI, VPN), NOW + HOUR, owner="Bob")
GRANT = Override(OverrideKind.GRANT, 0, (AI,), NOW + HOUR, client="192.0.2.7")


@pytest.fixture
def overrides(store):
    return OverrideStore(store, "Bob")


def said(store) -> list[str]:
    with store.reading() as connection:
        return [entry.what for entry in reversed(entries(connection))]


def test_everything_is_kept_until_it_ends(overrides):
    pause, lockdown = overrides.begin(PAUSE, NOW), overrides.begin(LOCKDOWN, NOW)
    grant = overrides.grant(GRANT, "digest", NOW)
    assert pause == Override(OverrideKind.PAUSE, 1, (), NOW + HOUR, NOW, None, "lab", "demo", "Bob")
    assert (lockdown.name, lockdown.subjects) == ("lockdown:2", (AI, VPN))
    assert overrides.in_force(NOW) == (pause, lockdown, grant)
    assert overrides.in_force(NOW + HOUR) == ()


def test_begin_and_early_end_are_in_the_log(overrides, store):
    overrides.begin(PAUSE, NOW)
    overrides.begin(LOCKDOWN, NOW)
    ended = overrides.end(lambda one: one.kind is OverrideKind.PAUSE, NOW)
    assert [one.name for one in ended] == ["pause:1"]
    assert said(store) == [
        "pause 1 on everything for group:lab until 2026-11-24T13:00:00+00:00",
        "lockdown 2 on ai bypass:vpn for all until 2026-11-24T13:00:00+00:00",
        "pause 1 on everything for group:lab ended early",
    ]
    assert [one.name for one in overrides.in_force(NOW)] == ["lockdown:2"]
    assert overrides.end(lambda one: one.kind is OverrideKind.PAUSE, NOW) == ()


def test_next_one_takes_the_place_of_its_like(overrides, store):
    overrides.begin(PAUSE, NOW)
    shorter = overrides.begin(Override(OverrideKind.PAUSE, 0, (), NOW + HOUR / 2, group="lab"), NOW)
    assert overrides.in_force(NOW) == (shorter,)
    assert "pause 1 on everything for group:lab ended, since the next one takes its place" in said(store)
    for other in (
        Override(OverrideKind.PAUSE, 0, (AI,), NOW + HOUR, group="lab"),
        Override(OverrideKind.PAUSE, 0, (), NOW + HOUR),
    ):
        overrides.begin(other, NOW)
    assert len(overrides.in_force(NOW)) == 3
    overrides.begin(LOCKDOWN, NOW)
    overrides.begin(Override(OverrideKind.LOCKDOWN, 0, (VPN, AI), NOW + HOUR), NOW)
    assert [one.kind.value for one in overrides.in_force(NOW)] == ["pause"] * 3 + ["lockdown"]


def test_token_is_good_for_one_grant(overrides):
    overrides.grant(GRANT, "one", NOW)
    with pytest.raises(PolicyError, match="the token was used before"):
        overrides.grant(GRANT, "one", NOW)
    overrides.end(lambda one: True, NOW)
    with pytest.raises(PolicyError, match="the token was used before"):
        overrides.grant(GRANT, "one", NOW)
    overrides.grant(GRANT, "two", NOW)
    assert len(overrides.in_force(NOW)) == 1


def test_log_does_not_say_to_whom_a_grant_was_given(overrides, store, path):
    """The log is kept for ever, whatever the privacy setting says."""
    overrides.grant(GRANT, "one", NOW)
    overrides.end(lambda one: True, NOW)
    with store.reading() as connection:
        told = entries(connection)
    assert [entry.what for entry in told] == [
        "grant 1 on ai for one client ended early", "grant 1 on ai for one client until 2026-11-24T13:00:00+00:00",
    ]  # fmt: skip
    assert json.loads(told[1].after)["client"] is None
    assert not any("192.0.2.7" in str(entry) for entry in told)


def test_grants_are_forgotten_a_day_after_and_the_others_stay(overrides, store):
    for one in (PAUSE, LOCKDOWN):
        overrides.begin(one, NOW)
    overrides.grant(GRANT, "one", NOW)

    def kinds_left(now: datetime) -> list[str]:
        retain(store, Retention(30, 2**40), now.timestamp())
        with store.reading() as connection:
            return list(connection.exec_driver_sql('SELECT kind FROM "override" ORDER BY id').scalars())

    assert kinds_left(NOW + timedelta(days=1)) == ["pause", "lockdown", "grant"]
    assert kinds_left(NOW + timedelta(days=1, hours=2)) == ["pause", "lockdown"]


def test_removed_group_ends_what_was_for_it(overrides, store):
    policy = PolicyStore(store, "Bob")
    policy.put_group(Group("lab", ("192.0.2.0/24",)))
    now = datetime.now(UTC)
    overrides.begin(Override(OverrideKind.PAUSE, 0, (), now + HOUR, group="lab"), now)
    overrides.begin(Override(OverrideKind.PAUSE, 0, (), now + HOUR), now)
    policy.remove_group("lab")
    assert [one.group for one in overrides.in_force(now)] == [None]
