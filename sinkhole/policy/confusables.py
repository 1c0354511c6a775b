"""Letters that look like others: what a label seems to say to who reads it in a hurry.

Small on purpose: the whole table of Unicode (UTS #39) has 6,000 rows, and names in DNS that imitate an ASCII word use
few of them. Accents and letters of other widths need no row; they fall away by decomposition.
"""

import unicodedata
from typing import Final, NamedTuple

_ALABEL: Final = b"xn--"
HYPHEN: Final = 0x2D
JOINERS: Final = b"-_"
"""What may stand between the parts of a word without changing how it reads."""
_LONGEST: Final = 63
_FIRST_FOREIGN: Final = 0x370
"""Greek, Cyrillic and all scripts behind them; what is before is Latin."""
_LIKE: Final = {
    "a": "\u0430\u03b1\u0251\u1d00\u04d9",
    "b": "\u0432\u03b2\u0184\u0185\u0253\u0299\u044c",
    "c": "\u0441\u03f2\u1d04\u0188",
    "d": "\u0501\u0257\u0111\u00f0\u1d05",
    "e": "\u0435\u03b5\u0454\u0259\u1d07\u212e\u04bd",
    "f": "\u0192\u0584",
    "g": "\u0261\u0260\u0581\u0262\u0121",
    "h": "\u04bb\u043d\u0570\u0127\u029c",
    "i": "\u0456\u03b9\u0131\u026a\u0269\u04cf\u0582",
    "j": "\u0458\u03f3\u0575\u1d0a",
    "k": "\u043a\u03ba\u0199\u1d0b",
    "l": "\u0142\u026b\u029f\u056c\u04c0\u05d5\u05df",
    "m": "\u043c\u1d0d",
    "n": "\u043f\u03b7\u0578\u057c\u0274\u0272",
    "o": "\u043e\u03bf\u03c3\u0585\u00f8\u1d0f\u0966\u09e6\u0a66\u0ae6\u0be6\u0c66\u0ce6\u0d66\u0e50\u05e1\u0661\u0665",
    "p": "\u0440\u03c1\u00fe\u1d18",
    "q": "\u051b\u0566",
    "r": "\u0433\u0280\u024d",
    "s": "\u0455\u0282\ua731",
    "t": "\u0442\u03c4\u0167\u1d1b",
    "u": "\u03c5\u057d\u1d1c\u0446",
    "v": "\u0475\u03bd\u1d20",
    "w": "\u051d\u03c9\u0561\u1d21\u0448",
    "x": "\u0445\u03c7",
    "y": "\u0443\u04af\u03b3\u028f",
    "z": "\u0437\u1d22\u01b6",
}
_LETTERS: Final = {ord(char): letter for letter, like in _LIKE.items() for char in like}
# `1`, `l` and `i` look alike, so all become one; digits that stand for nothing stay and part words as before.
FOLDED: Final = bytes.maketrans(b"01345789i", b"oleastbgl")
"""By octet, what stands for it and for what looks like it."""
DOUBLE: Final = {b"rn": b"m", b"vv": b"w"}
"""Letters that look like one letter, which."""
PARTS: Final = (*(bytes((joiner,)) for joiner in JOINERS), *DOUBLE)
"""What may be anywhere in a word without changing how it reads, or makes it read otherwise."""
_DIGITS: Final = (bytes.maketrans(b"01345789", b"oleastbg"), bytes.maketrans(b"01345789", b"oieastbg"))


def has_alabel(text: bytes) -> bool:
    """Return whether a label of a name, or of its key, may be an A-label."""
    return text.find(_ALABEL) >= 0  # `in` tries first whether this is a number, in 0.5 µs


class Reading(NamedTuple):
    """What a label says.

    Attributes:
        plain: as it is written; a letter outside ASCII is a `~` if it looks like one of ASCII, else a `?`.
        bare: as it seems; a letter outside ASCII is the one of ASCII that it looks like, or a `?`.
        is_foreign: letters of another script look like letters of ASCII, which no accent explains.
    """

    plain: bytes
    bare: bytes
    is_foreign: bool


def read_label(label: bytes) -> Reading:
    """Read a folded label; an A-label (RFC 5890) is decoded, and what only pretends to be one is taken as it is.

    Its validity does not matter: what imitates need not obey IDNA to be clicked on.
    """
    if label.startswith(_ALABEL):
        try:
            return _read_text(label[len(_ALABEL) :].decode("punycode"))
        except UnicodeError:
            pass
    return Reading(label, label, is_foreign=False)


def skeleton(text: bytes) -> bytes:
    """Return a folded text without joiners, letters and digits that look alike being one.

    Texts that look alike have the same skeleton. A name in wire form keeps most of its borders between labels, which
    is enough to look for a word and then look closer.
    """
    return _undoubled(text.translate(FOLDED, JOINERS))


def joined_skeleton(text: bytes) -> bytes:
    """Return the same with its joiners left in."""
    return _undoubled(text.translate(FOLDED))


def unmask_digits(text: bytes) -> tuple[bytes, ...]:
    """Return the text with digits as the letters that they look like; none if there are none."""
    return tuple(letters for table in _DIGITS if (letters := text.translate(table)) != text)


def _undoubled(text: bytes) -> bytes:
    for double, one in DOUBLE.items():
        text = text.replace(double, one)
    return text


def _read_text(text: str) -> Reading:
    plain = []
    bare = []
    is_foreign = False
    for char in text.lower():
        if char.isascii():
            plain.append(char)
            bare.append(char)
            continue
        like = "".join(map(_like, unicodedata.normalize("NFKD", char)))
        if not like:
            continue
        is_foreign = is_foreign or (like.isalpha() and ord(char) >= _FIRST_FOREIGN)
        plain.append("~" if like.isalpha() else "?")
        bare.append(like)
    return Reading("".join(plain).encode("ascii"), "".join(bare)[:_LONGEST].encode("ascii"), is_foreign)


def _like(char: str) -> str:
    """Return what a character without its accents looks like: a letter, `?`, or nothing for a mark of its own."""
    if char.isascii():
        return char
    if unicodedata.category(char) in ("Mn", "Cf"):
        return ""
    return _LETTERS.get(ord(char), "?")
