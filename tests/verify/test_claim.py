import pytest

from kerashw.errors import InputError
from kerashw.verify.claim import claim
from kerashw.verify.claims import CLAIMS, select_claims


def test_the_claims_are_registered_under_the_homeworks_numbers():
    assert {1, 2, 3, 4, 5, 9, 10, 11, 12, 13} <= set(CLAIMS)
    assert all(number == entry.number for number, entry in CLAIMS.items())
    assert [entry.number for entry in select_claims()] == sorted(CLAIMS)


def test_an_unknown_number_is_rejected():
    with pytest.raises(InputError, match=r"numbers 1, 2, 3, .*\. Received: 99$"):
        select_claims([1, 99])


def test_a_number_is_used_once():
    with pytest.raises(InputError, match=r"Received: 4, twice"):
        claim(4, "again")(lambda trained_models: None)
