from sinkhole.upstream.entropy import Entropy


def test_no_octet_is_given_out_twice() -> None:
    """R-C03: neither within what was fetched at once nor at its border."""
    entropy = Entropy()
    taken = [entropy.take(16) for _ in range(1000)]
    assert {len(octets) for octets in taken} == {16}
    assert len(set(taken)) == 1000


def test_two_have_nothing_in_common() -> None:
    assert Entropy().take(16) != Entropy().take(16)
