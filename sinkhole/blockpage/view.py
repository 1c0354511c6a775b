"""What is shown of a ruling: as a page, as values for programs, and as a few lines for a terminal."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sinkhole.blockpage.alternatives import Alternative, alternatives
from sinkhole.blockpage.facts import Facts
from sinkhole.blockpage.forms import write_form_token
from sinkhole.blockpage.reference import reference_of
from sinkhole.blockpage.ruling import Kind, Ruling
from sinkhole.blockpage.texts import TEXTS, Texts
from sinkhole.blockpage.visit import Visit
from sinkhole.blockpage.words import clock_time, extended_error, kinds_of, policy_in_words, what_it_is
from sinkhole.policy.verdict import Verdict

_TEMPLATES = Path(__file__).parent / "templates"
MOST_REASON = 500
"""Characters of the reason of a request."""
_KEPT, _MOST_KEPT = dt.timedelta(seconds=5), 500
"""For how long, and how many, lists of alternatives are kept."""
DAYS = (1, 7, 30)
"""Days that may be asked for."""


class Sent(Enum):
    """What became of a form, with the HTTP status of its answer."""

    GRANTED = ("granted", 200)
    ASKED = ("asked", 200)
    BUSY = ("busy", 429)
    STALE = ("stale", 403)
    REFUSED = ("refused", 409)
    INCOMPLETE = ("incomplete", 400)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a form; `until` when one may go on, `number` of the exception that was asked for.

    `typed` is the reason that was given, shown again where nothing became of it.
    """

    sent: Sent
    until: dt.datetime | None = None
    number: int = 0
    typed: str = ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.sent.value[1]


@dataclass(frozen=True, slots=True)
class House:
    """What the settings say of this network.

    Attributes:
        alternatives: the setting `block_page.alternatives`.
        requests: whether people may ask for exceptions.
        minutes: that one may go on after reading a notice.
    """

    organisation: str
    contacts: tuple[str, ...]
    message: str
    alternatives: Sequence[str]
    requests: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the view looks things up.

    Attributes:
        facts: the newest names of vendors and products.
        owner: who is behind a ruling, as far as the policy says.
        stored: how the address of a client is stored with hits.
        notice: the token of a notice, for (verdict, client, time).
        key: that of form tokens and references.
        may_be_told: whether the client at an address may have the reason, the owner and whom to ask
            (`blocking.explain_to`); the reason of a coached name is its notice, which everybody is shown.
    """

    facts: Callable[[], Facts]
    owner: Callable[[Ruling], str | None]
    stored: Callable[[str], str]
    notice: Callable[[Verdict, str, dt.datetime], str]
    key: bytes
    may_be_told: Callable[[str], bool]


class _Told(NamedTuple):
    """What a client may be told: why, who is behind it, whom to ask."""

    reason: str | None
    owner: str | None
    contacts: tuple[str, ...]


class View:
    """Shows rulings.

    Args:
        house: what the settings say.
        sources: where the rest is looked up.
    """

    def __init__(self, house: House, sources: Sources) -> None:
        self._house = house
        self._sources = sources
        self.style = (_TEMPLATES / "page.css").read_text()
        """The style of the page, which its content security policy names."""
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._known: dict[tuple[object, ...], tuple[dt.datetime, tuple[Alternative, ...]]] = {}
        self._template = environment.get_template("page.html")

    def reference(self, visit: Visit, now: dt.datetime) -> str:
        """Return the reference of a visit."""
        stored = self._sources.stored(visit.client)
        return str(reference_of(self._sources.key, stored, visit.host or "", int(now.timestamp()) // 60))

    def page(self, visit: Visit, ruling: Ruling, now: dt.datetime, outcome: Outcome | None = None) -> str:
        """Return the page; `outcome` is what became of a form."""
        texts, facts, verdict = TEXTS[visit.language], self._sources.facts(), ruling.verdict
        is_shut = ruling.kind in (Kind.BLOCKED, Kind.COACHED)
        sent = None if outcome is None else outcome.sent
        told = self._told(visit, ruling)
        name = visit.host or ""
        shown: dict[str, Any] = {
            "t": texts, "house": self._house, "style": self.style, "name": name, "client": visit.client,
            "kind": ruling.kind.value, "title": self._title(ruling, texts, outcome, now), "is_shut": is_shut,
            "sent": sent and sent.value[0], "number": outcome.number if outcome else 0,
            "typed": outcome.typed if outcome else "",
            "what": what_it_is(verdict, facts, texts), "kinds": kinds_of(verdict.categories, facts, texts),
            "owner": told.owner, "contacts": told.contacts, "reason": told.reason,
            "policy": policy_in_words(verdict, facts, texts) if is_shut else "",
            "basis": texts.basis.get(verdict.basis or ""), "via": verdict.via,
            "until": clock_time(verdict.until, now) if verdict.until else None,
            "instead": [(one, kinds_of(one.categories, facts, texts)) for one in self._instead(ruling, now)],
            "reference": self.reference(visit, now) if is_shut else None,
            "time": f"{now.astimezone():%Y-%m-%d %H:%M %Z}", "generation": ruling.policy.generation,
            "error": extended_error(ruling), "days": DAYS, "most": MOST_REASON, "notice": "", "forms": {},
        }  # fmt: skip
        if is_shut:
            shown["forms"] = {form: self._form(form, visit, now) for form in ("continue", "request")}
        if ruling.kind is Kind.COACHED:
            shown["notice"] = self._sources.notice(verdict, visit.client, now)
        return self._template.render(shown)

    def facts(self, visit: Visit, ruling: Ruling, now: dt.datetime) -> dict[str, object]:
        """Return what holds as values for JSON; what is not known is left out."""
        verdict, texts, house = ruling.verdict, TEXTS[visit.language], self._house
        found: dict[str, object] = {"title": self._title(ruling, texts, None, now), "name": visit.host}
        if ruling.kind in (Kind.BLOCKED, Kind.COACHED):
            told, instead = self._told(visit, ruling), self._instead(ruling, now)
            found |= {
                "detail": policy_in_words(verdict, self._sources.facts(), texts), "action": str(verdict.action),
                "policy": verdict.subject, "scope": verdict.scope, "override": verdict.override,
                "vendor": verdict.vendor, "product": verdict.product, "reason": told.reason,
                "basis": verdict.basis, "owner": told.owner, "organisation": house.organisation,
                "contact": told.contacts, "extended_error": ruling.ede,
                "until": verdict.until.isoformat() if verdict.until else None,
                "alternatives": [{"name": one.name, "url": one.url} for one in instead],
                "reference": self.reference(visit, now),
            }  # fmt: skip
        return {key: value for key, value in found.items() if value not in (None, "", (), [])}

    def text(self, visit: Visit, ruling: Ruling, now: dt.datetime) -> str:
        """Return what holds in a few lines."""
        texts, verdict = TEXTS[visit.language], ruling.verdict
        lines = [self._title(ruling, texts, None, now)]
        if ruling.kind in (Kind.BLOCKED, Kind.COACHED):
            told = self._told(visit, ruling)
            lines += [
                f"{texts.policy}: {policy_in_words(verdict, self._sources.facts(), texts)}",
                f"{texts.why}: {told.reason or texts.why_unsaid}",
                *(f"{texts.contact}: {contact}" for contact in told.contacts),
                f"{texts.reference}: {self.reference(visit, now)}",
            ]
        return "".join(f"{''.join(c if c.isprintable() else '?' for c in line)}\n" for line in lines)

    def _told(self, visit: Visit, ruling: Ruling) -> _Told:
        if self._sources.may_be_told(visit.client):
            return _Told(ruling.verdict.reason, self._sources.owner(ruling), self._house.contacts)
        return _Told(ruling.verdict.reason if ruling.kind is Kind.COACHED else None, None, ())

    def _title(self, ruling: Ruling, texts: Texts, outcome: Outcome | None, now: dt.datetime) -> str:
        if outcome is not None and outcome.until is not None:
            return texts.granted_title.format(time=clock_time(outcome.until, now))
        title = {
            Kind.BLOCKED: texts.blocked_title, Kind.COACHED: texts.coached_title, Kind.OPEN: texts.open_title,
            Kind.UNNAMED: texts.unnamed_title,
        }[ruling.kind]  # fmt: skip
        return title.format(name=ruling.name)

    def _instead(self, ruling: Ruling, now: dt.datetime) -> tuple[Alternative, ...]:
        """Return what may be used instead; kept for a moment, since a whole category is judged for it."""
        verdict = ruling.verdict
        if ruling.kind not in (Kind.BLOCKED, Kind.COACHED):
            return ()
        key = (ruling.policy.generation, ruling.scope, verdict.product, verdict.categories)
        known = self._known.get(key)
        if known is not None and dt.timedelta() <= now - known[0] < _KEPT:
            return known[1]
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        facts = self._sources.facts()
        found = alternatives(ruling, self._house.alternatives, facts, now)
        if facts.image:
            self._known[key] = (now, found)
        return found

    def _form(self, form: str, visit: Visit, now: dt.datetime) -> str:
        return write_form_token(self._sources.key, form, visit.client, visit.host or "", now.timestamp())


def subject_to_lift(ruling: Ruling) -> str:
    """Return what an exception is asked for: the product, as far as one is known, else the name that was opened.

    The subject of the policy may be as wide as all of AI.
    """
    product = ruling.verdict.product
    return f"product:{product}" if product else f"domain:{ruling.name}"
