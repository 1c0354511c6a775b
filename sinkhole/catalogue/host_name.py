"""What a host name of the catalogue may look like."""

import re

_LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)$")
_LONGEST_NAME = 253


def name_mistake(name: str) -> str | None:
    """Say what is wrong with a host name in lower-case A-label form, or return None."""
    if name != name.lower():
        return "is not in lower case"
    if not name.isascii():
        return "is not in A-label form (xn--…)"
    if len(name) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} characters"
    for label in name.split("."):
        if not _LABEL.match(label):
            return f"has a label that no host name has: {label!r}"
    return None
