"""Globs of host names: `*` stands for any characters, dots too."""


def literals_of(glob: str) -> int:
    """Return how many characters of a glob stand for themselves: the more, the more specific it is."""
    return len(glob) - glob.count("*")


def glob_matches(glob: str, name: str) -> bool:
    """Return whether a glob stands for a name; both in lower case. It takes time in proportion to the name only."""
    first, *middle = glob.split("*")
    if not middle:
        return glob == name
    last = middle.pop()
    if not name.startswith(first):
        return False
    place = len(first)
    for part in middle:
        found = name.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return name.endswith(last) and len(name) - len(last) >= place


def globs_meet(one: str, other: str) -> bool:
    """Return whether there is a name that both globs stand for."""
    todo, seen = [(0, 0)], set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        i, j = place
        if (i, j) == (len(one), len(other)):
            return True
        todo += _next_places(one[i : i + 1], other[j : j + 1], i, j)
    return False


def _next_places(one: str, other: str, i: int, j: int) -> list[tuple[int, int]]:
    """Return the places after reading a character of each, where a star reads none, or one of the other glob."""
    places = []
    if one == "*":
        places += [(i + 1, j)] + ([(i, j + 1)] if other else [])
    if other == "*":
        places += [(i, j + 1)] + ([(i + 1, j)] if one else [])
    if one and one == other:
        places.append((i + 1, j + 1))
    return places
