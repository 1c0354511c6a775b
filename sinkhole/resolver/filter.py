"""The filter: ask policy about the name, and about what its answer leads to.

It stands before the cache, and everything the cache, stale or fresh, gives passes back through it. So each answer is
judged at the moment it is served, by the policy of that moment, for the client that gets it: a change of policy needs
no flush, nothing blocked is ever served stale or prefetched, and groups share one cache (R-C20, R-C21). It stands
behind local records, which are the administrator's own word.
"""

from sinkhole.errors import FormError
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.reply import Ede
from sinkhole.protocol.types import EdeCode
from sinkhole.resolver.answer import Answer, failure
from sinkhole.resolver.blocked import make_blocked
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.inspection import judge_records, weigh
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query

_UNREADABLE = Ede(EdeCode.OTHER, "malformed service record")


class Filter:
    """The stage.

    Args:
        box: where the policy in force is.
        ede_text: whether extended errors name vendor and policy.
    """

    def __init__(self, box: PolicyBox, *, ede_text: bool) -> None:
        self._box = box
        self._ede_text = ede_text

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Answer blocked names here; pass on the rest, and judge what comes back."""
        policy, scope = self._box.current, query.client.scope
        verdict = _decide(policy, query, scope)
        if verdict.is_blocked:
            return self._blocked(policy, query, scope, verdict)
        answer = await forward(query)
        if self._box.current is not policy:  # swapped while an upstream was asked
            policy = self._box.current
            scope = policy.scope_of(query.client.address)
            verdict = _decide(policy, query, scope)
        return self._judge(policy, query, scope, verdict, answer)

    def _judge(self, policy: Policy, query: Query, scope: Scope, verdict: Verdict, answer: Answer) -> Answer:
        if not verdict.is_blocked:
            try:
                verdict = judge_records(policy, answer.body.answer, query.question, scope, query.when, verdict)
            except FormError:
                return failure(_UNREADABLE, verdict=verdict)
        if verdict.is_blocked:
            return self._blocked(policy, query, scope, verdict)
        return Answer(answer.body, verdict, answer.ttl, answer.stale, answer.source)

    def _blocked(self, policy: Policy, query: Query, scope: Scope, verdict: Verdict) -> Answer:
        return make_blocked(query.asked, verdict, policy.answer_for(scope), ede_text=self._ede_text)


def _decide(policy: Policy, query: Query, scope: Scope) -> Verdict:
    question = query.question
    if query.judged is not None:
        target = policy.decide_target(question.name, question.qtype, scope, query.when)
        return weigh(query.judged, target)
    return policy.decide(
        question.name, question.qtype, scope, query.when, client=query.client.address, explain=query.explain
    )
