"""What is remembered of names in sets of bounded size, which begin anew when they are full."""


def remember(memo: set[bytes], key: bytes, most: int) -> None:
    """Add a key to a set, which holds `most` of them."""
    if len(memo) >= most:
        memo.clear()
    memo.add(key)
