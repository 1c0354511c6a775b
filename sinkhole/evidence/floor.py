"""The floor under which nothing is told of clients (k-anonymity): rows of few are merged until they are not few."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sinkhole.evidence.model import Line, Span, Tried


def merge_few(lines: Sequence[Line], floor: int, union: Callable[[Sequence[Line]], int]) -> tuple[Line, ...]:
    """Merge the rows that fewer than `floor` clients are in into one, which comes last.

    Where these together are too few still, the next smallest row joins them: what is left out could be told from the
    total otherwise. A merged row tells no times.

    Args:
        union: how many different clients some rows have together.
    """
    if floor <= 1:
        return tuple(lines)
    few = [line for line in lines if _clients(line) < floor]
    kept = [line for line in lines if _clients(line) >= floor]
    clients = union(few) if few else 0
    while few and clients < floor and kept:
        smallest = min(kept, key=_clients)
        kept.remove(smallest)
        few.append(smallest)
        clients = union(few)
    shown = [_hide_spans(line, floor) for line in kept]
    return (*shown, _merged(few, clients, floor)) if few else tuple(shown)


def total_or_none(total: Tried, floor: int) -> Tried | None:
    """Return the total, unless fewer clients than the floor are in it."""
    return total if floor <= 1 or (total.clients or 0) >= floor else None


def _clients(line: Line) -> int:
    return (line.tried.clients or 0) if line.tried else 0


def _merged(few: Sequence[Line], clients: int, floor: int) -> Line:
    name = f"fewer than {floor} clients, merged"
    if clients < floor:
        return Line(None, None, name, None, None, merged=len(few))
    tried = [line.tried for line in few if line.tried]
    summed = Tried(
        clients, sum(one.attempts for one in tried), sum(one.queries for one in tried),
        _sum(one.blocked for one in tried), _sum(one.coached for one in tried), _sum(one.refused for one in tried),
    )  # fmt: skip
    return Line(None, None, name, None, summed, merged=len(few))


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _hide_spans(line: Line, floor: int) -> Line:
    return replace(line, before=_hidden(line.before, floor), after=_hidden(line.after, floor))


def _hidden(span: Span | None, floor: int) -> Span | None:
    if span is None or not span.attempts or (span.clients or 0) >= floor:
        return span
    return None
