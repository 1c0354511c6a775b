"""What the control process does with sightings of names that look like AI: tells whose they are, sees them in force."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sinkhole.app.compiled import compiled_folder
from sinkhole.app.state import State
from sinkhole.errors import PolicyError
from sinkhole.policy.document import load_document
from sinkhole.policy.key import wire_from_text
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.subject import SubjectKind
from sinkhole.public_suffix import is_public_suffix, registrable_domain
from sinkhole.store.candidates import CandidateState


def owned(sightings: Iterable[Sighting]) -> Iterator[Sighting]:
    """Yield sightings of what someone can own: a worker has no list of public suffixes, and guesses.

    One of a public suffix counts for the domains that were asked for below it.
    """
    for sighting in sightings:
        if not is_public_suffix(sighting.domain):
            yield sighting
            continue
        domain = next(filter(None, map(registrable_domain, sighting.examples)), None)
        if domain is not None:
            yield replace(sighting, domain=domain, examples=_below(domain, sighting.examples))


def _below(domain: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name == domain or name.endswith("." + domain))


def waits_unseen(state: State) -> bool:
    """Return whether a name waits for review of which the policy in force cannot know, though a statement asks.

    Most it knows by the name alone, when it decides; the others show in their answers only.
    """
    try:
        document = load_document(compiled_folder(state.folder))
    except PolicyError:
        return False
    if all(statement.subject.kind is not SubjectKind.UNREVIEWED for statement in document.statements):
        return False
    waiting = state.candidates.domains(CandidateState.NEW, by_answer=True)
    return not document.reviews.waiting.issuperset(map(wire_from_text, waiting))
