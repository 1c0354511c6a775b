"""What the shell offers for a word that is not finished: subjects, groups, feeds, vendors, candidates.

Nothing may be printed meanwhile, so what cannot be read offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from sinkhole.app.data_dir import STORE
from sinkhole.cli.options import Place
from sinkhole.cli.session import catalogue_of, opened
from sinkhole.errors import SinkholeError
from sinkhole.late import late

if TYPE_CHECKING:
    from sinkhole.app import client_names, subjects
    from sinkhole.catalogue.load import Catalogue
else:
    client_names = late("sinkhole.app.client_names")
    subjects = late("sinkhole.app.subjects")

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _offers(words: Callable[[Place], Iterable[str]]) -> _Complete:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        place = Place(ctx.params.get("config"), ctx.params.get("data_dir"))
        with suppress(SinkholeError, OSError):
            begun = incomplete.lower()
            return [CompletionItem(word) for word in words(place) if word.lower().startswith(begun)]
        return []

    return complete


def _subjects(place: Place) -> Iterable[str]:
    return subjects.words_of(catalogue_of(place), _feeds(place))


def _feeds(place: Place) -> list[str]:
    if not (place.settings().server.data_dir / STORE).exists():
        return []
    with opened(place) as state:
        return sorted(feed.name for feed, _ in state.feeds.all())


def _groups(place: Place) -> list[str]:
    if not (place.settings().server.data_dir / STORE).exists():
        return []
    with opened(place) as state:
        return [group.name for group in state.policy.groups()]


def _members(place: Place) -> list[str]:
    with opened(place) as state:
        return [member for group in state.policy.groups() for member in group.members]


def _candidates(place: Place) -> list[str]:
    with opened(place) as state:
        return [one.domain for one in state.candidates.all()]


def _clients(place: Place) -> list[str]:
    with opened(place) as state:
        return [one.text for one in client_names.client_store(state).known()]


def _of_store(words: Callable[[Place], Iterable[str]]) -> _Complete:
    """Offer words of the store, and make none where there is none."""
    return _offers(lambda place: words(place) if (place.settings().server.data_dir / STORE).exists() else ())


def _of_catalogue(words: Callable[[Catalogue], Iterable[str]]) -> _Complete:
    return _offers(lambda place: words(catalogue_of(place)))


complete_subject = _offers(_subjects)
complete_feed = _offers(_feeds)
complete_group = _offers(_groups)
complete_member = _of_store(_members)
complete_candidate = _of_store(_candidates)
complete_client = _of_store(_clients)
complete_product = _of_catalogue(lambda catalogue: catalogue.products)
complete_vendor = _of_catalogue(lambda catalogue: catalogue.by_id)
complete_category = _of_catalogue(lambda catalogue: catalogue.categories)
complete_jurisdiction = _of_catalogue(lambda catalogue: catalogue.jurisdictions)
complete_way = _of_catalogue(lambda catalogue: (way.id for way in catalogue.bypass))
