"""A ruling in words for people, in the language of the page."""

import datetime as dt
from collections.abc import Iterable

from sinkhole.blockpage.facts import Facts
from sinkhole.blockpage.ruling import Ruling
from sinkhole.blockpage.texts import Texts
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.types import EdeCode

_EDE_WORDS = {EdeCode.BLOCKED: "Blocked", EdeCode.CENSORED: "Censored", EdeCode.FILTERED: "Filtered"}


def what_it_is(verdict: Verdict, facts: Facts, texts: Texts) -> str | None:
    """Return product, vendor and country: `DeepSeek Chat by DeepSeek (CN)`; None where nothing is known."""
    if verdict.vendor is None:
        return None
    vendor = facts.vendors.get(verdict.vendor, verdict.vendor)
    where = f" ({verdict.jurisdiction})" if verdict.jurisdiction else ""
    product = facts.products.get(verdict.product or "")
    if product is None or product.name == vendor:
        return f"{vendor}{where}"
    return texts.of_vendor.format(product=product.name, vendor=vendor) + where


def kinds_of(categories: Iterable[str], facts: Facts, texts: Texts) -> tuple[str, ...]:
    """Return categories in words."""
    return tuple(texts.categories.get(one) or facts.categories.get(one, one) for one in categories)


def policy_in_words(verdict: Verdict, facts: Facts, texts: Texts) -> str:
    """Return what decided: `Vendor DeepSeek: blocked for everyone`."""
    action = texts.actions[str(verdict.action)].format(scope=_scope(verdict.scope or "all", texts))
    said = texts.policy_words.format(subject=subject_in_words(verdict.subject or "", facts, texts), action=action)
    kind, _, number = (verdict.override or "").partition(":")
    return f"{texts.override[kind].format(value=number)}. {said}" if kind in texts.override else said


def subject_in_words(subject: str, facts: Facts, texts: Texts) -> str:
    """Return a subject (`vendor:deepseek`) in words."""
    kind, _, value = subject.partition(":")
    match kind:
        case "vendor" | "models":
            value = facts.vendors.get(value, value)
        case "product" if value in facts.products:
            value = facts.products[value].name
        case "category":
            (value,) = kinds_of([value], facts, texts)
        case "bypass":
            value = facts.ways.get(value, value)
    return texts.subjects.get(kind, "{value}").format(value=value)


def extended_error(ruling: Ruling) -> str:
    """Return the extended DNS error of the answer (RFC 8914): `15 (Blocked)`."""
    return f"{ruling.ede} ({_EDE_WORDS[ruling.ede]})" if ruling.ede in _EDE_WORDS else str(ruling.ede)


def clock_time(moment: dt.datetime, now: dt.datetime) -> str:
    """Return a time as people in this place say it; the day only where it is another."""
    local, today = moment.astimezone(), now.astimezone()
    return f"{local:%H:%M %Z}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M %Z}"


def _scope(scope: str, texts: Texts) -> str:
    kind, _, value = scope.partition(":")
    return {"all": texts.everyone, "client": texts.device}.get(kind, texts.group.format(value=value))
