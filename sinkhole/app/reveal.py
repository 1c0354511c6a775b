"""Tell who a pseudonym of a report is; that it was told, to whom and why is noted first."""

from collections.abc import Callable, Iterator

from sinkhole.app.state import State
from sinkhole.errors import StoreError
from sinkhole.store.audit import note
from sinkhole.store.pseudonym import client_writer


def pseudonym_writer(state: State) -> Callable[[str], str]:
    """Return what writes the pseudonym of a stored client; what is stored as one already stays.

    Raises:
        StoreError: the key cannot be read or made.
    """
    return str if state.settings.record.clients == "pseudonym" else client_writer("pseudonym", state.folder)


def reveal(state: State, pseudonym: str, reason: str) -> str | None:
    """Return the client that is stored and has this pseudonym, None for none.

    Raises:
        StoreError: clients are stored as pseudonyms, so nobody can tell; or it cannot be noted, and is not told.
    """
    if state.settings.record.clients == "pseudonym":
        raise StoreError("clients are stored as pseudonyms (record.clients), which nobody can turn back")
    write = pseudonym_writer(state)
    found = next((text for text in _clients(state) if write(text) == pseudonym), None)
    with state.store.transaction() as connection:
        said = {"pseudonym": pseudonym, "reason": reason, "found": found is not None}
        note(connection, state.who, f"report reveal {pseudonym}", None, said)
    return found


def _clients(state: State) -> Iterator[str]:
    """Yield all texts that are stored of clients; those of other words are no client's pseudonym and do no harm."""
    with state.store.reading() as connection:
        for sql in ("SELECT text FROM client", "SELECT text FROM word WHERE text <> ''"):
            for (text,) in connection.exec_driver_sql(sql):
                yield str(text)
