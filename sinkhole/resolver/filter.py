"""The filter: ask policy about the name, and about what its answer leads to.

It stands before the cache, and everything the cache, stale or fresh, gives passes back through it. So each answer is
judged at the moment it is served, by the policy of that moment, for the client that gets it: a change of policy needs
no flush, nothing blocked is ever served stale or prefetched, and groups share one cache (R-C20, R-C21). It stands
behind local records, which are the administrator's own word.
"""

from dataclasses import replace

from sinkhole.errors import FormError
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.verdict import NO_MATCH, Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold
from sinkhole.protocol.rdata import cname_target
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import EdeCode, Rcode
from sinkhole.resolver.answer import Answer, Source, failure
from sinkhole.resolver.blocked import make_blocked
from sinkhole.resolver.explanation import Explanations
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.inspection import judge_records, weigh
from sinkhole.resolver.links import MAX_LINKS, join
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.resolver.rewritten import alias_of, make_rewritten

_UNREADABLE = Ede(EdeCode.OTHER, "malformed service record")
_LOOP = Ede(EdeCode.OTHER, "aliases of local lists loop")


class Filter:
    """The stage.

    Args:
        box: where the policy in force is.
        explanations: says why a name is blocked.
    """

    def __init__(self, box: PolicyBox, explanations: Explanations) -> None:
        self._box = box
        self._explanations = explanations

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Answer blocked names here; pass on the rest, and judge what comes back."""
        policy, scope = self._box.current, query.client.scope
        verdict = _decide(policy, query, scope)
        if verdict.is_blocked:
            if alias_of(query.question, verdict) is not None:
                return await self._follow(policy, query, scope, verdict, forward)
            return self._blocked(policy, query, scope, verdict)
        answer = await forward(query)
        if self._box.current is not policy:  # swapped while an upstream was asked
            policy = self._box.current
            scope = query.client.scope_under(policy)
            verdict = _decide(policy, query, scope)
        return self._judge(policy, query, scope, verdict, answer)

    async def _follow(self, policy: Policy, query: Query, scope: Scope, verdict: Verdict, forward: Handler) -> Answer:
        """Answer with the alias that a local list puts at the name, and with what is behind it."""
        links: list[Record] = []
        passed = {query.question.key}
        link, found = query, verdict
        while (alias := alias_of(link.question, found, policy.answer_for(scope).ttl)) is not None:
            target = fold(cname_target(alias))
            if target == link.question.key:  # a rule for a domain that sends all of it to one name in it
                end = self._judge(policy, link, scope, NO_MATCH, await forward(link))
                break
            if target in passed or len(links) == MAX_LINKS:
                return failure(_LOOP, verdict=verdict)
            passed.add(target)
            links.append(alias)
            link = query.ask(cname_target(alias))
            found = _decide(policy, link, scope)
        else:
            end = await self(link, forward)
        if end.source in (Source.BLOCKED, Source.ERROR):
            return end
        ttl = None if end.ttl is None else min([end.ttl, *(float(alias.ttl) for alias in links)])
        return replace(join(ReplyBody(Rcode.NOERROR, answer=tuple(links)), end), verdict=verdict, ttl=ttl)

    def _judge(self, policy: Policy, query: Query, scope: Scope, verdict: Verdict, answer: Answer) -> Answer:
        if not verdict.is_blocked:
            try:
                verdict = judge_records(policy, answer.body.answer, query, scope, verdict)
            except FormError:
                return failure(_UNREADABLE, verdict=verdict)
            if verdict.is_blocked:
                verdict = policy.lift(verdict, query.asked.key, query.asked.qtype, scope, query.when)
        if verdict.is_blocked:
            return self._blocked(policy, query, scope, verdict)
        return Answer(answer.body, verdict, answer.ttl, answer.stale, answer.source)

    def _blocked(self, policy: Policy, query: Query, scope: Scope, verdict: Verdict) -> Answer:
        how, explanations = policy.answer_for(scope), self._explanations
        why = explanations.error(query, verdict, how)
        # An alias could not be followed here, where the policy changed while an upstream was asked: then it is blocked.
        if verdict.rewrite and alias_of(query.question, verdict) is None:
            rewritten = make_rewritten(query.question, verdict, how.ttl)
            return _with_reason(rewritten, why) if explanations.is_structured(query) else rewritten
        return make_blocked(query.asked, verdict, how, why, explanations.records(query, verdict, how))


def _with_reason(answer: Answer, why: Ede) -> Answer:
    """Return the answer with another extended error for a client that must not be told of a forged answer.

    Whoever reads structured errors is to learn the reason (draft-ietf-dnsop-structured-dns-error, section 5.2).
    """
    if answer.source is Source.ERROR:
        return answer
    return replace(answer, body=replace(answer.body, ede=(why,)))


def _decide(policy: Policy, query: Query, scope: Scope) -> Verdict:
    question = query.question
    if query.judged is not None:
        target = policy.decide_target(question.name, question.qtype, scope, query.when)
        # An alias that a local list put there is allowed as such; what it leads to is not.
        verdict = weigh(NO_MATCH if query.judged.rewrite else query.judged, target)
        if verdict.is_blocked:
            verdict = policy.lift(verdict, query.asked.key, query.asked.qtype, scope, query.when)
        return verdict
    return policy.decide(
        question.name, question.qtype, scope, query.when, client=query.client.address, explain=query.explain
    )
