"""A batch that could not be stored comes before its followers, even into a store made anew."""

from sinkhole.store.handover import Debts


def test_follower_waits_for_the_batch_that_failed():
    debts = Debts()
    assert debts.permits("a", 7)
    debts.note_failure("a", 4)
    debts.note_failure("a", 5)
    assert not debts.permits("a", 5)
    assert debts.permits("b", 5)
    assert debts.permits("a", 4)
    debts.note_success("a", 4)
    assert debts.permits("a", 5)


def test_success_of_an_earlier_batch_does_not_settle_the_debt():
    debts = Debts()
    debts.note_failure("a", 4)
    debts.note_success("a", 3)
    assert not debts.permits("a", 5)
