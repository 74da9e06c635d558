import numpy as np
import pytest

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import NGram
from fmcourse.evaluate.ngram import _discounts
from fmcourse.evaluate.windows import encode


@pytest.fixture(scope="module")
def fitted(tokenizer, prose):
    documents = encode(tokenizer, prose[:12])
    return {order: NGram(order).fit(documents, len(tokenizer)) for order in (1, 2, 3, 5)}


def test_a_bigram_model_by_hand():
    """Documents B 0 1 0 1 and B 0 1 (B opens them), vocabulary {0, 1, 2}, fallback discounts.

    Bigrams: B0 ×2, 01 ×3, 10 ×1. So 0 comes after two different symbols, 1 after one.
    Unigrams, of 3 in all: 0 keeps 2 - 1, 1 keeps 1 - 0.5; the 1.5 taken is shared by three tokens.
    """
    p0, p1, p2 = 1 / 3 + 1.5 / 9, 0.5 / 3 + 1.5 / 9, 1.5 / 9
    model = NGram(2).fit([[0, 1, 0, 1], [0, 1]], vocab_size=3)
    # After 0 (3 times 1): 1 keeps 3 - 1.5, and 1.5 of 3 goes to the unigrams.
    np.testing.assert_allclose(model.distribution([0]), [p0 / 2, 0.5 + p1 / 2, p2 / 2])
    # After 1 (once 0): 0 keeps 1 - 0.5.
    np.testing.assert_allclose(model.distribution([0, 1]), [0.5 + p0 / 2, p1 / 2, p2 / 2])
    # At the start (twice 0): 0 keeps 2 - 1.
    np.testing.assert_allclose(model.distribution([]), [0.5 + p0 / 2, p1 / 2, p2 / 2])
    # 2 was never seen: the unigrams alone.
    np.testing.assert_allclose(model.distribution([2]), [p0, p1, p2])
    nats, = model.nats([[0, 1, 2]])
    np.testing.assert_allclose(nats, -np.log([0.5 + p0 / 2, 0.5 + p1 / 2, p2 / 2]))


def slow_probability(documents, order, vocabulary, context, token):
    """Modified Kneser–Ney from its definition, with dictionaries, for any order."""
    grams = [{} for _ in range(order + 1)]
    for document in documents:
        symbols = ["B", *document]
        for end in range(1, len(symbols)):
            for n in range(1, min(order, end + 1) + 1):
                gram = tuple(symbols[end - n + 1:end + 1])
                grams[n][gram] = grams[n].get(gram, 0) + 1
    counts = [None] * (order + 1)
    for n in range(1, order + 1):
        counts[n] = dict(grams[n])
        if n < order:
            for gram in grams[n]:
                left = sum(longer[1:] == gram for longer in grams[n + 1])
                counts[n][gram] = left if gram[0] != "B" else grams[n][gram]
    symbols = ["B", *context]
    found = 1 / vocabulary
    for n in range(1, min(order, len(symbols) + 1) + 1):
        before = tuple(symbols[len(symbols) - n + 1:])
        after = {gram[-1]: c for gram, c in counts[n].items() if gram[:-1] == before}
        if not after:
            break
        taken = dict(enumerate(_discounts(np.array(list(counts[n].values())))))
        total = sum(after.values())
        kept = after.get(token, 0) - taken[min(after.get(token, 0), 3)]
        found = (kept + sum(taken[min(c, 3)] for c in after.values()) * found) / total
    return found


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_equals_the_definition(order):
    random = np.random.default_rng(order)
    documents = [random.choice(6, size=n, p=[.4, .25, .15, .1, .07, .03]).tolist()
                 for n in (1, 2, 3, 9, 30, 60)]
    model = NGram(order).fit(documents, vocab_size=8)
    for context in ([], [0], [1, 0], [0, 0, 1], [0, 1, 0, 0], [2, 0, 1, 0, 0, 1], [7, 0], [0, 7]):
        expected = [slow_probability(documents, order, 8, context, token) for token in range(8)]
        np.testing.assert_allclose(model.distribution(context), expected, rtol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_sum_to_one(fitted, tokenizer, prose, order):
    seen, = encode(tokenizer, [prose[2][:60]])
    unseen = [7, 500, 3, 411, 12]
    for context in ([], seen[:1], seen[:3], seen, unseen, [*unseen, *seen[:2]], [*seen[:5], 7]):
        probabilities = fitted[order].distribution(list(context))
        assert probabilities.sum() == pytest.approx(1, abs=1e-9)
        assert probabilities.min() > 0


def test_discounts_are_chen_and_goodmans():
    counts = np.repeat([1, 2, 3, 4, 9], [100, 40, 20, 12, 3])
    y = 100 / 180
    np.testing.assert_allclose(_discounts(counts), [
        0, 1 - 2 * y * 40 / 100, 2 - 3 * y * 20 / 40, 3 - 4 * y * 12 / 20])
    assert _discounts(np.array([1, 1, 2])).tolist() == [0, 0.5, 1, 1.5]  # too few to estimate


def test_longer_context_helps_on_real_text(fitted, tokenizer, prose):
    held_out = prose[12:18]
    bits = {order: model.bits_per_byte(held_out, tokenizer) for order, model in fitted.items()}
    assert bits[1] > bits[2] > bits[3]
    assert bits[5] < 0.8 * bits[1]
    # The control: in tokens put in random order there is nothing for context to find.
    random = np.random.default_rng(0)
    shuffled = [random.permutation(tokens) for tokens in encode(tokenizer, held_out)]
    unigram, five = (np.concatenate(fitted[order].nats(shuffled)).mean() for order in (1, 5))
    assert five > 0.97 * unigram


def test_bits_per_byte_is_the_networks_definition(fitted, tokenizer):
    """A BOS that is read but not predicted, UTF-8 bytes below, groups as there."""
    text = "Größe"
    ids, = encode(tokenizer, [text])
    context, nats = [], 0.0
    for token in ids:
        nats -= np.log(fitted[3].distribution(context)[token])
        context.append(int(token))
    expected = nats / np.log(2) / 7
    assert fitted[3].bits_per_byte([text], tokenizer) == pytest.approx(expected)
    assert fitted[3].bits_per_byte({"g": [text]}, tokenizer) == {"g": pytest.approx(expected)}


def test_documents_do_not_leak_into_each_other(fitted, tokenizer, prose):
    documents = encode(tokenizer, prose[12:15])
    together = fitted[5].nats(documents)
    for alone, found in zip(documents, together, strict=True):
        np.testing.assert_array_equal(fitted[5].nats([alone])[0], found)
        assert len(found) == len(alone)


def test_a_token_file_is_counted_like_its_documents(tokenizer, prose):
    documents = encode(tokenizer, prose[:3])

    class File:
        ids = np.concatenate([part for d in documents
                              for part in ([tokenizer.bos_token_id], d)]).astype(np.uint16)
        starts = np.cumsum([0, *[len(d) + 1 for d in documents[:-1]]])

    one, other = NGram(3).fit(File, 512), NGram(3).fit(documents, 512)
    np.testing.assert_array_equal(one.nats(documents[:1])[0], other.nats(documents[:1])[0])
    assert File.ids[0] == tokenizer.bos_token_id  # and the file is left as it was


def test_mistakes_are_explained():
    with pytest.raises(ModelError, match="1 to 5"):
        NGram(6)
    with pytest.raises(ModelError, match="fit first"):
        NGram(2).nats([[0]])
    with pytest.raises(DataError, match="no tokens"):
        NGram(2).fit([], 5)
    with pytest.raises(DataError, match="outside a vocabulary of 5"):
        NGram(2).fit([[1, 5]], 5)


def test_one_token_documents_have_no_long_contexts():
    model = NGram(5).fit([[1], [1], [0]], vocab_size=3)
    assert model.distribution([1, 1, 1, 1, 1]).sum() == pytest.approx(1)
    assert model.distribution([]).argmax() == 1
