"""Classifiers: features are means, regression is scikit-learn's, full training moves everything."""

import numpy as np
import pytest
import tiny
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from fmcourse.errors import CourseError, DataError
from fmcourse.train import ClassifyRecipe, classify, features
from fmcourse.train.classify import _batches, regression
from fmcourse.train.features import forward_flops

TEXTS = tiny.texts()[:48]
LABELS = [tiny.ANIMALS[i // 12] for i in range(48)]  # four animals, twelve places
RECIPE = ClassifyRecipe(least=160, most=160, batch=8, tokens=24, learning_rate=1e-2)


@pytest.fixture(scope="module")
def model():
    return tiny.model(scale=3.0)


def test_features_are_the_mean_of_the_last_states_whatever_the_batch(model):
    found = features(model, TEXTS[:5], tokens=20, batch=2)
    ids = [model.tokenizer.bos_token_id, *model.tokenizer(
        TEXTS[3], add_special_tokens=False).input_ids][:20]
    with torch.no_grad():
        states = model.network.model(torch.tensor([ids])).last_hidden_state[0]
    torch.testing.assert_close(found[3], states[1:].mean(0))
    torch.testing.assert_close(found, features(model, TEXTS[:5], tokens=20, batch=5))
    assert not found.requires_grad


def test_padding_changes_nothing(model):
    short, long = "The fox.", TEXTS[0]
    together, alone = features(model, [short, long]), features(model, [short])
    torch.testing.assert_close(together[:1], alone)


def test_the_head_is_the_logistic_regression_of_scikit_learn():
    rng = np.random.default_rng(0)
    for classes in (2, 5):
        x, y = rng.normal(2, 3, (80, 6)).astype("float32"), np.arange(80) % classes
        x[:, 0] += y
        head = regression(torch.from_numpy(x), y, penalty=2.0)
        scale = StandardScaler().fit(x)
        reference = LogisticRegression(C=0.5, max_iter=300).fit(scale.transform(x), y)
        ours = torch.softmax(head(torch.from_numpy(x)), 1).detach().numpy()
        np.testing.assert_allclose(ours, reference.predict_proba(scale.transform(x)), atol=1e-4)


@pytest.mark.parametrize("arm", ["full", "frozen"])
def test_it_learns_names_and_leaves_the_given_model_alone(model, arm):
    before = model.sha256()
    taught = classify(model, TEXTS, LABELS, RECIPE, arm=arm)
    assert taught.accuracy(TEXTS, LABELS) > 0.9
    assert set(taught.predict(TEXTS)) <= set(LABELS)
    assert model.sha256() == before
    assert (taught.model.sha256() == before) is (arm == "frozen")


def test_full_training_improves_on_its_start(model):
    weak = ClassifyRecipe(**{**RECIPE.as_dict(), "penalty": 1e5})
    frozen, full = (classify(model, TEXTS, LABELS, weak, arm=arm) for arm in ("frozen", "full"))
    found = [torch.nn.functional.cross_entropy(
        one.head(features(one.model, TEXTS, tokens=24)),
        torch.from_numpy(np.unique(LABELS, return_inverse=True)[1])).item()
        for one in (frozen, full)]
    assert found[1] < 0.75 * found[0]


def test_shuffled_labels_are_not_predicted(model):
    labels = np.random.default_rng(0).permutation(LABELS)
    taught = classify(model, TEXTS[::2], labels[::2], RECIPE, arm="frozen")
    assert taught.accuracy(TEXTS[1::2], labels[1::2]) < 0.6


def test_the_same_seed_gives_the_same_classifier(model):
    first, second = (classify(model, TEXTS, LABELS, RECIPE) for _ in range(2))
    assert first.model.sha256() == second.model.sha256()


def test_cost_by_formula(model):
    frozen = classify(model, TEXTS, LABELS, RECIPE, arm="frozen").cost
    full = classify(model, TEXTS, LABELS, RECIPE).cost
    assert frozen.tokens == 48 * 24
    assert frozen.flops == pytest.approx(frozen.tokens * forward_flops(model, 24))
    assert full.tokens == (48 + 160) * 24
    assert full.flops == pytest.approx((48 + 3 * 160) * 24 * forward_flops(model, 24))
    assert frozen.trainable == 4 * (32 + 1)
    assert full.trainable > model.parameters


def test_the_budget_covers_every_example_before_any_twice():
    recipe = ClassifyRecipe(epochs=2, least=1, most=10**6, batch=4)
    batches = _batches([5] * 10, recipe)
    assert [len(b) for b in batches] == [4] * 5
    seen = [i for batch in batches for i in batch]
    assert sorted(seen) == sorted([*range(10)] * 2)
    assert _batches([5] * 10, ClassifyRecipe(seed=1, epochs=2, least=1, batch=4)) != batches


@pytest.mark.parametrize(("texts", "labels"), [
    (TEXTS[:4], [0, 1]), (TEXTS[:2], [1, 1]), ([], []),
])
def test_examples_that_teach_nothing_are_refused(model, texts, labels):
    with pytest.raises(DataError):
        classify(model, texts, labels, RECIPE)


def test_an_unknown_arm_is_refused(model):
    with pytest.raises(CourseError, match="frozen only the head"):
        classify(model, TEXTS, LABELS, RECIPE, arm="half")
