from sinkhole.transport.bucket import Bucket


def test_burst_passes_at_once_and_then_the_rate():
    """R-P02: a token bucket."""
    bucket = Bucket(rate=10, burst=5)

    assert [bucket.take(100.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert not bucket.take(100.05)
    assert bucket.take(100.1)
    assert not bucket.take(100.1)


def test_bucket_fills_up_to_the_burst_and_no_further():
    bucket = Bucket(rate=10, burst=3)
    for _ in range(3):
        bucket.take(0.0)

    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]


def test_every_nth_limited_query_slips():
    """R-P02: TC slip rather than pure drop."""
    bucket = Bucket(rate=10, burst=5)

    assert [bucket.slips(3, 1.0) for _ in range(6)] == [False, False, True] * 2
    assert not any(bucket.slips(0, 1.0) for _ in range(6))


def test_queries_that_slip_have_the_limits_of_the_rate():
    """A flood is not answered by half: what a limited client is told is limited, too."""
    bucket = Bucket(rate=10, burst=5)

    assert sum(bucket.slips(2, 1.0) for _ in range(50_000)) == 5
    assert sum(bucket.slips(2, 1.25) for _ in range(50_000)) == 2
    assert bucket.take(1.25)
