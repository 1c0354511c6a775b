"""Put the chain together: the one place that says which stage stands where."""

from collections.abc import Mapping, Sequence

from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, FormError
from sinkhole.protocol.names import name_from_text
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.background import Background
from sinkhole.resolver.cache import Cache, Clock
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.resolver.chase import Chase
from sinkhole.resolver.coalesce import Coalesce
from sinkhole.resolver.ech import strip_ech
from sinkhole.resolver.explanation import Explanations
from sinkhole.resolver.filter import Filter
from sinkhole.resolver.forward import Forward, Upstreams
from sinkhole.resolver.handler import Handler, Stage, chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.local import Local
from sinkhole.resolver.minimal_any import answer_any
from sinkhole.resolver.own_records import OwnRecords
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.resolver.rebinding import Rebinding
from sinkhole.resolver.record import Record
from sinkhole.resolver.recursion import refuse_without_rd
from sinkhole.resolver.sightings import Sightings
from sinkhole.resolver.special_names import SpecialNames
from sinkhole.resolver.steps import Done, Steps
from sinkhole.resolver.straight import Straight
from sinkhole.upstream.forwarder import Forwarder
from sinkhole.upstream.task import STEPPING


class _MustWaitError(Exception):
    """Raised where a query would have to wait; never leaves this file."""


async def _must_wait(_query: Query) -> Answer:
    raise _MustWaitError


class Chain:
    """The chain as a handler, and the tasks it runs behind the clients' backs.

    Args:
        handler: the whole chain.
        prompt: its first stages alone, those that answer without waiting for anyone.
        background: its tasks.
        local: its stage for local names.
        sources: how many answers came from where, as it counts them.
        straight: what does the same for most questions.
    """

    def __init__(
        self, handler: Handler, prompt: Handler, background: Background, local: Local, sources: Mapping[Source, int],
        straight: Straight | None,
    ) -> None:  # fmt: skip
        self.straight = straight
        self.local_zones = local.zones
        self.sources = sources
        self._handler = handler
        self._prompt = prompt
        self._background = background

    def at_once(self, query: Query) -> Answer | None:
        """Return the answer if it takes no waiting (own, special and blocked names), else None.

        It needs no task and no turn of the event loop: a flood of names that are all blocked and all different costs
        half of what it would.
        """
        steps = self._prompt(query).__await__()
        try:
            next(steps)
        except StopIteration as done:
            answer: Answer = done.value
            return answer
        except _MustWaitError:
            return None
        raise RuntimeError("a stage that may not wait did")

    def begin(self, query: Query, done: Done) -> Answer | None:
        """Return the answer if it takes no waiting; else None, and `done` is told of it later.

        Up to its first wait a query costs no task, and as a rule none after that.
        """
        steps = self._handler(query).__await__()
        try:
            what = STEPPING.next_of(steps)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        Steps(steps, done, self._background).wait_for(what)
        return None

    async def __call__(self, query: Query) -> Answer:
        """Answer `query`."""
        return await self._handler(query)

    @property
    def busy(self) -> int:
        """How many flights and refreshes are under way as tasks."""
        return len(self._background)

    async def close(self) -> None:
        """End refreshes and flights; call it when no query is answered any more."""
        await self._background.close()


def build_chain(
    settings: Settings,
    box: PolicyBox,
    upstreams: Upstreams,
    hits: Hits,
    *,
    clock: Clock,
    sightings: Sightings | None = None,
    budget: CacheBudget | None = None,
    forwarder: Forwarder | None = None,
) -> Chain:
    """Return the chain of one worker.

    Args:
        settings: the whole configuration.
        box: where the policy in force is found.
        upstreams: who is asked in the end.
        hits: where verdicts are counted.
        clock: monotonic seconds.
        sightings: where names that look like AI are counted; None: nowhere.
        budget: octets for answers, shared with the packet cache; None: those of the settings, for the answers alone.
        forwarder: asks upstreams on the straight path, as a rule the same as `upstreams`; None: there is none.

    Raises:
        ConfigError: a local record, a forwarded zone or an allowed name cannot be read; it names all of them.
    """
    background = Background()
    explanations = Explanations(settings.blocking)
    local, rebinding = _by_names(settings, explanations)
    record = Record(hits, sightings)
    prompt: list[Stage] = [
        # Sees every verdict, so it is before all that may end a query.
        record,
        # The administrator's own word and names that never leave: before policy, before the world.
        local,
        # Asks for further links of a chain: before the filter, so that each is judged before it leaves.
        Chase(box),
        # Judges each answer when it is served: before the cache, so that no policy is ever cached.
        Filter(box, explanations),
        # Looks at what is served, from the cache too.
        *rebinding,
        *([strip_ech] if settings.inspection.strip_ech else ()),
        # Only what is answered above is for those who do not want recursion.
        refuse_without_rd,
        # ANY is never forwarded or kept, but may be blocked.
        answer_any,
    ]
    # Answers of upstreams, for all clients alike.
    cache = Cache(settings.cache, clock, background, budget or CacheBudget(settings.cache.max_bytes))
    # One flight for equal questions: last, so that misses and refreshes share it.
    coalesce = Coalesce(background)
    last = Forward(upstreams, trust_ad=settings.upstream.trust_ad, failure_ttl=settings.cache.failure_ttl)
    straight = None
    if forwarder is not None:
        straight = Straight(
            box, cache, coalesce, record, forwarder, guards_private=settings.rebinding.enabled,
            takes_services=not settings.inspection.strip_ech,
        )  # fmt: skip
    whole = chain([*prompt, cache, coalesce], last)
    return Chain(whole, chain(prompt, _must_wait), background, local, record.sources, straight)


def _by_names(settings: Settings, explanations: Explanations) -> tuple[Local, list[Stage]]:
    """Return the stages that are made from names in the settings: local, and rebinding if it is on."""
    mistakes: list[str] = []
    forwarded = _names([zone.zone for zone in settings.upstream.zones], "upstream.zones[{}].zone", mistakes)
    allowed = _names(settings.rebinding.allow, "rebinding.allow[{}]", mistakes)
    own = OwnRecords(())
    try:
        own = OwnRecords.from_lines(settings.records)
    except ConfigError as error:
        mistakes.extend(error.mistakes)
    if mistakes:
        raise ConfigError(*mistakes)
    local = Local(own, SpecialNames(forwarded), canaries=settings.canaries)
    return local, [Rebinding([*allowed, *forwarded], explanations)] if settings.rebinding.enabled else []


def _names(texts: Sequence[str], path: str, mistakes: list[str]) -> list[bytes]:
    names = []
    for index, text in enumerate(texts):
        try:
            names.append(name_from_text(text))
        except FormError as error:
            mistakes.append(f"{path.format(index)}: {error}")
    return names
