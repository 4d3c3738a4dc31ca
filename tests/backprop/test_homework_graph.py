"""Question 1's network and the measurements for its claims."""

import pytest

from kerashw.backprop import (
    check_algorithm,
    compare_forms,
    homework_inputs,
    homework_network,
    local_derivative_errors,
)
from kerashw.errors import InputError


def test_one_matrix_is_used_three_times_and_the_other_once():
    arguments = [argument for node in homework_network().nodes for argument in node.arguments]
    assert (arguments.count("A"), arguments.count("B")) == (3, 1)


@pytest.mark.parametrize("K", [1, 2, 7])
def test_the_local_derivatives_are_correct(K):
    errors = local_derivative_errors(K)
    assert max(errors.values()) < 1e-14
    assert errors["∂v/∂A = 0"] == errors["∂u/∂B = 0"] == 0


@pytest.mark.parametrize("K", [1, 2, 5])
def test_compare_forms_has_every_reading(K):
    comparisons = compare_forms(K)
    assert [c.wrt for c in comparisons] == ["A", "B", "A", "B", "A"]
    assert all(c.expected_shape == (K, K) for c in comparisons)
    correct = [c for c in comparisons if c.error < 1e-12]
    assert len(correct) == (4 if K == 1 else 0)
    if K > 1:
        assert [c.error == float("inf") for c in comparisons] == [True, True, False, False, False]


@pytest.mark.parametrize("batch", [None, 4])
def test_the_algorithm_returns_both_gradients(batch):
    checks = check_algorithm(K=5, batch=batch)
    assert list(checks) == ["A", "B"]
    assert all(check.passed for check in checks.values())


@pytest.mark.parametrize("K", [0, -1, 2.0, None])
def test_an_invalid_size_is_an_input_error(K):
    with pytest.raises(InputError, match=r"K must be a positive integer. Received"):
        homework_inputs(K)
