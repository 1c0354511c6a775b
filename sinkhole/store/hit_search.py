"""Find recorded rows of a span of time by what is told of them."""

from collections.abc import Callable

from sinkhole.store.database import Store


def ids_between(
    store: Store, first: int, last: int, is_meant: Callable[[str, str], bool], most: int
) -> tuple[int, ...]:
    """Return the ids of the newest rows that are meant, the newest first.

    Args:
        first, last: whole minutes since the epoch, both within.
        is_meant: is asked with client and name, once for each pair.
        most: ids that are returned at most.
    """
    sql = """
        SELECT hit.id, hit.client, hit.name, c.text, n.text FROM hit
        JOIN word n ON n.id = hit.name JOIN word c ON c.id = hit.client
        WHERE minute BETWEEN ? AND ? ORDER BY minute DESC, hit.id DESC
    """
    known: dict[tuple[int, int], bool] = {}
    found: list[int] = []
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=1000).exec_driver_sql(sql, (first, last))
        for number, client, name, client_text, name_text in rows:
            pair = (client, name)
            if pair not in known:
                known[pair] = is_meant(client_text, name_text)
            if known[pair]:
                found.append(number)
                if len(found) >= most:
                    break
    return tuple(found)
