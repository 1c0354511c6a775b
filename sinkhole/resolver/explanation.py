"""Say why a name is blocked, to whom it may be said and in the form that the client can read.

Everyone gets the code of an extended DNS error (RFC 8914) and a sentence for people. A client that says that it reads
structured errors gets JSON in place of the sentence (draft-ietf-dnsop-structured-dns-error). Whoever is in a network
that `blocking.explain_to` names, and asks for the TXT records of the name, gets what the statement says.
"""

import ipaddress
import json
from datetime import UTC
from typing import Final

from sinkhole.config.schema import BlockingSettings
from sinkhole.policy.groups import parse_client
from sinkhole.policy.verdict import BlockAnswer, Verdict
from sinkhole.protocol.edns import asks_structured
from sinkhole.protocol.message import Record
from sinkhole.protocol.rdata import txt_strings
from sinkhole.protocol.reply import Ede
from sinkhole.protocol.types import EdeCode, QClass, QType
from sinkhole.resolver.query import Query

_SCHEMES: Final = ("mailto:", "tel:", "sips:")
"""Of contacts that structured errors may carry; clients must not be led to open a page."""
_NETWORK_OPERATOR_POLICY: Final = 5
"""The sub-error; the only ones for "Filtered" are about malware and spam, and there are none for "Censored"."""
_LANGUAGE: Final = "en"
_LONG, _SHORT = 200, 50
"""Characters of a justification, and of that in a reply with little room."""


class Explanations:
    """Explains blocked answers as the settings permit."""

    def __init__(self, settings: BlockingSettings) -> None:
        self._names_policy = settings.ede_text
        self._sde_option = settings.sde_option
        self._contacts = settings.contact
        self._organisation = settings.organisation
        self._told = tuple(map(ipaddress.ip_network, settings.explain_to))

    def is_structured(self, query: Query) -> bool:
        """Return whether the client reads structured errors."""
        return asks_structured(query.message.edns, self._sde_option)

    def error(self, query: Query, verdict: Verdict, how: BlockAnswer) -> Ede:
        """Return the extended error: its code is that of the statement's basis, else that of the group or server."""
        code = how.ede if verdict.basis is None else verdict.basis.ede
        return self.worded(query, code, _sentence(verdict, how) if self._names_policy else "")

    def worded(self, query: Query, code: int, said: str) -> Ede:
        """Return an extended error about filtering with this sentence, in the form that the client reads."""
        if not self.is_structured(query):
            return Ede(code, said)
        contacts = [contact for contact in self._contacts if contact.startswith(_SCHEMES)]
        return Ede(
            code,
            _json(code, said[:_LONG], contacts, self._organisation),
            _json(code, said[:_SHORT], [], ""),
        )

    def records(self, query: Query, verdict: Verdict, how: BlockAnswer) -> tuple[Record, ...]:
        """Return the TXT record that explains, where it is asked for and may be given."""
        question = query.asked
        if question.qtype != QType.TXT or question.qclass != QClass.IN or not self._may_be_told(query):
            return ()
        return (txt_strings(question.name, self._lines(verdict), how.ttl),)

    def _may_be_told(self, query: Query) -> bool:
        client = parse_client(query.client.address)
        return client is not None and any(client in network for network in self._told)

    def _lines(self, verdict: Verdict) -> list[str]:
        lines = [f"vendor={verdict.vendor}"] if verdict.vendor else []
        lines.append(f"policy={verdict.action} {verdict.subject} for {verdict.scope}")
        if verdict.override:
            lines.append(f"override={verdict.override}")
        if verdict.reason:
            lines.append(f"reason={_shown(verdict.reason)}")
        lines += [f"contact={contact}" for contact in self._contacts]
        if verdict.until is not None:
            lines.append(f"until={verdict.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        return lines


def _shown(text: str) -> str:
    """Return text that does nothing to the terminal of whoever asks."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _sentence(verdict: Verdict, how: BlockAnswer) -> str:
    # Shown to whoever asks: names of policy only, never a file, a client or a link of the chain.
    what = f"{verdict.vendor} is blocked" if verdict.vendor else "blocked"
    said = f"{what} by policy {verdict.subject}" if verdict.subject else f"{what} by policy"
    return f"{said}; you may go on after reading the notice" if verdict.is_coached and how.has_page else said


def _json(code: int, said: str, contacts: list[str], organisation: str) -> str:
    """Return the fields of a structured error as compact I-JSON; empty where it would say nothing."""
    fields: dict[str, object] = {}
    if contacts:
        fields["c"] = contacts
    if said:
        fields["j"] = said
    if code == EdeCode.BLOCKED:
        fields["s"] = _NETWORK_OPERATOR_POLICY
    if not fields:
        return ""  # without one of the three a client throws the whole away
    if organisation:
        fields["o"] = organisation
    if said:
        fields["l"] = _LANGUAGE
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
