import numpy as np
import pytest

from kerashw.layers import FactoredDense
from kerashw.verify.claims import CLAIMS, TrainedModels, question2
from tests.verify.verdicts import FAILS, HOLDS, verdict_of


@pytest.fixture(scope="module")
def trained_models(data):
    return TrainedModels(train_examples=2000, test_examples=500)


def test_claim_4_holds(verdicts):
    assert verdicts[4] == HOLDS


def test_claim_5_holds_and_the_paths_from_one_start_differ(trained_models):
    evidence = CLAIMS[5].measure(trained_models)
    assert evidence.verdict == HOLDS
    paths = evidence.numbers["paths"]
    assert paths["step"] == [0, 16, 32]  # 2,000 examples in batches of 128, two epochs
    assert paths["apart"][0] == paths["way_in_h1"][0] == paths["way_in_h2"][0] == 0
    assert 0 < paths["apart"][1] < paths["apart"][2]
    # A projection is not longer than the path.
    h1, h2 = (np.array(paths["plane"][space]) for space in ("h1", "h2"))
    for projected, full in ((h1, "way_in_h1"), (h2, "way_in_h2"), (h1 - h2, "apart")):
        assert (np.linalg.norm(projected, axis=1) <= np.array(paths[full]) + 1e-9).all()
    assert 0.5 < paths["plane"]["share"] <= 1


def test_factors_of_another_function_do_not_hold(monkeypatch):
    right = question2.expand
    monkeypatch.setattr(question2, "expand", lambda W: (*right(W)[:2], 2 * W))
    assert verdict_of(4) == FAILS


def test_a_product_without_one_factor_does_not_hold(trained_models, monkeypatch):
    monkeypatch.setattr(question2, "collapse", lambda A, B, C: A @ C)
    monkeypatch.setattr(question2, "EPOCHS", 1)
    assert verdict_of(5, trained_models) == FAILS


def test_a_served_model_with_other_weights_does_not_hold(trained_models, monkeypatch):
    right = FactoredDense.collapse
    monkeypatch.setattr(FactoredDense, "collapse", lambda layer: [1.01 * right(layer)[0]])
    monkeypatch.setattr(question2, "EPOCHS", 1)
    assert verdict_of(5, trained_models) == FAILS
