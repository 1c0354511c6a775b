"""The rules an administrator wrote in AdGuard Home, and its rewrites of names."""

import re
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from sinkhole.errors import FormError
from sinkhole.feeds.formats.adblock import AdblockReader
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.foreign.adguard_clients import Client
from sinkhole.foreign.hosts import read_hosts
from sinkhole.foreign.model import Foreign, ForeignRecord, ForeignRule, Place
from sinkhole.foreign.names import checked_line
from sinkhole.foreign.yaml_section import Section
from sinkhole.policy.rule import Rejection, Rule

_TAGS = re.compile(r"(?<=[$,])ctag=([^,]+)")


def read_user_rules(rows: Sequence[tuple[str, Place]], clients: Sequence[Client], into: Foreign) -> None:
    """Take in the rows of `user_rules`."""
    names = _Names(clients)
    reader = AdblockReader(ReadOptions(local=True, regexes=True))
    for text, place in rows:
        if not text.isprintable():
            into.leave_out(place, text, "holds control characters")
        elif _is_record(text):
            read_hosts([(text, place)], into)
        else:
            try:
                for found in reader.read(names.without_tags(text), 0):
                    _take(found, names, text, place, into)
            except RowError as error:
                into.leave_out(place, text, error.why)


def _is_record(text: str) -> bool:
    """Return whether it is a row of a hosts file that answers with an address."""
    try:
        address = ip_address(text.split()[0])
    except (ValueError, IndexError):
        return False
    return not address.is_unspecified and not address.is_loopback


def _take(found: Rule | Rejection, names: "_Names", text: str, place: Place, into: Foreign) -> None:
    if isinstance(found, Rejection):
        into.leave_out(place, text, found.why)
        return
    into.rules.append(ForeignRule(names.with_addresses(found), (None,), place))


class _Names:
    """Names and tags of clients, for the addresses that they stand for."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._by_name = {client.name.casefold(): client.members for client in clients}
        self._by_tag: dict[str, list[str]] = {}
        for client in clients:
            for tag in client.tags:
                self._by_tag.setdefault(tag, []).extend(client.members)

    def without_tags(self, text: str) -> str:
        """Return a row in which the clients stand for the tags they have.

        Raises:
            RowError: no client that is known by an address has the tag.
        """
        found = _TAGS.search(text)
        if found is None:
            return text
        clients = []
        for word in found[1].split("|"):
            mark, tag = ("~", word[1:]) if word.startswith("~") else ("", word)
            clients += [mark + member for member in self._by_tag.get(tag, ())]
        if not clients:
            raise RowError(f"no client that is known by an address has the tag {found[1]}")
        return text[: found.start()] + "client=" + "|".join(clients) + text[found.end() :]

    def with_addresses(self, rule: Rule) -> Rule:
        """Return a rule in which the addresses of clients stand for their names.

        Raises:
            RowError: a client is not known by an address.
        """
        if rule.condition is None or not rule.condition.clients:
            return rule
        found: list[str] = []
        for word in rule.condition.clients:
            mark, name = ("~", word[1:]) if word.startswith("~") else ("", word)
            if name[:1].isdigit() or ":" in name:
                found.append(word)
                continue
            members = self._by_name.get(name.casefold(), ())
            if not members:
                raise RowError(f"the client {name!r} is not known by an address")
            found += [mark + member for member in members]
        return replace(rule, condition=replace(rule.condition, clients=tuple(found)))


def read_rewrites(sections: Sequence[Section], into: Foreign) -> None:
    """Take in rewrites, `{domain: …, answer: …}`, as local records."""
    for section in sections:
        name, answer = section.text("domain").strip(), section.text("answer").strip()
        said = f"{name} -> {answer}"
        if not section.flag("enabled", True):
            into.leave_out(section.place, said, "is disabled")
        elif answer.upper() in ("A", "AAAA") or answer == name:
            into.leave_out(section.place, said, "an exception to a rewrite; there is none here")
        else:
            try:
                into.records.append(ForeignRecord(_record(name, answer), section.place))
            except FormError as error:
                into.leave_out(section.place, said, str(error))


def _record(name: str, answer: str) -> str:
    try:
        address = ip_address(answer)
    except ValueError:
        return checked_line(f"{name} CNAME {answer}")
    return checked_line(f"{name} {'A' if address.version == 4 else 'AAAA'} {address}")
