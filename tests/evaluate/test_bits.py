"""Against a slow reference: one document and one window at a time, with transformers' own loss."""

import math

import numpy as np
import pytest
import torch

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import bits_per_byte, sequence_log_likelihood, token_losses


def reference_nats(model, text, context):
    """-ln p of a text: transformers' own loss on one window after the other, no overlap."""
    ids, nats = model.tokenizer(text, add_special_tokens=False).input_ids, 0.0
    for begin in range(0, len(ids), context):
        row = torch.tensor([[model.tokenizer.bos_token_id, *ids[begin:begin + context]]])
        with torch.no_grad():
            nats += model.network(row, labels=row).loss.item() * (row.shape[1] - 1)
    return nats


def whole_nats(model, text):
    """The same, for texts that fit one window."""
    return reference_nats(model, text, context=255)


@pytest.mark.parametrize("context", [7, 50, 255])
def test_equals_the_slow_reference(causal, texts, context):
    nats = sum(reference_nats(causal, text, context) for text in texts)
    expected = nats / math.log(2) / sum(len(text.encode()) for text in texts)
    assert bits_per_byte(causal, texts, context=context) == pytest.approx(expected, rel=1e-5)
    assert expected > 1  # and is not trivially zero


def test_stride_equals_predicting_with_the_same_context_one_token_at_a_time(causal, texts):
    """With a stride of 1, every token is predicted from BOS and up to context - 1 before it."""
    text, context = texts[4], 40
    ids = causal.tokenizer(text, add_special_tokens=False).input_ids
    expected = []
    for place, token in enumerate(ids):
        row = [causal.tokenizer.bos_token_id, *ids[max(0, place - context + 1):place]]
        with torch.no_grad():
            logits = causal.network(torch.tensor([row])).logits[0, -1]
        expected.append(-torch.log_softmax(logits, -1)[token].item())
    found = token_losses(causal, text, context=context, stride=1)["nats"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(token_losses(causal, text, context=context)["nats"], expected, atol=1e-3)


def test_batch_size_and_order_do_not_matter(causal, texts):
    expected = bits_per_byte(causal, texts, context=64, batch=1)
    for batch in (2, 5, 64):
        assert bits_per_byte(causal, texts, 64, batch) == pytest.approx(expected, rel=1e-6)
    assert bits_per_byte(causal, texts[::-1], 64) == pytest.approx(expected, rel=1e-6)


def test_adds_up_over_documents(causal, texts):
    sizes = [len(text.encode()) for text in texts]
    alone = [bits_per_byte(causal, [text], context=64) for text in texts]
    together = bits_per_byte(causal, texts, context=64)
    assert together == pytest.approx(np.average(alone, weights=sizes), rel=1e-6)
    groups = bits_per_byte(causal, {"one": texts[:3], "two": texts[3:]}, context=64)
    assert groups["one"] == pytest.approx(np.average(alone[:3], weights=sizes[:3]), rel=1e-6)
    assert list(groups) == ["one", "two"]


def test_a_uniform_model_needs_log2_of_its_vocabulary_a_token(causal, texts):
    model = causal.copy()
    with torch.no_grad():
        model.network.get_output_embeddings().weight.zero_()
    tokens = sum(len(ids) for ids in model.tokenizer(texts, add_special_tokens=False).input_ids)
    size = sum(len(text.encode()) for text in texts)
    expected = math.log2(len(model.tokenizer)) * tokens / size
    assert bits_per_byte(model, texts) == pytest.approx(expected, rel=1e-6)


def test_dropout_is_off_and_back_on(causal, texts):
    model = causal.copy()
    model.network.config.attention_dropout = 0.5
    for layer in model.network.model.layers:
        layer.self_attn.attention_dropout = 0.5
    model.network.train()
    assert bits_per_byte(model, texts) == bits_per_byte(causal, texts)
    assert model.network.training
    loss = model.network(torch.tensor([[1, 2]]), labels=torch.tensor([[1, 2]])).loss
    loss.backward()  # nothing of inference mode is left behind


def test_bfloat16_is_near_and_float32_is_the_default(causal, texts):
    exact = bits_per_byte(causal, texts)
    rough = bits_per_byte(causal, texts, dtype="bfloat16")
    assert rough != exact
    assert rough == pytest.approx(exact, rel=0.02)
    with pytest.raises(DataError, match="float64"):
        bits_per_byte(causal, texts, dtype="float64")


def test_what_cannot_be_measured_is_refused(causal, masked, texts):
    with pytest.raises(ModelError, match="causal"):
        bits_per_byte(masked, texts)
    with pytest.raises(DataError, match="empty"):
        bits_per_byte(causal, {"a": ["x", ""]})
    with pytest.raises(DataError, match="group"):
        bits_per_byte(causal, {})
    with pytest.raises(ModelError, match="at most 256"):
        bits_per_byte(causal, texts, context=1024)
    model = causal.copy()
    model.tokenizer = type(model.tokenizer)(tokenizer_object=model.tokenizer.backend_tokenizer)
    with pytest.raises(ModelError, match="beginning-of-text"):
        bits_per_byte(model, texts)


def test_token_losses_spell_the_text_and_sum_to_the_whole(causal, texts):
    frame = token_losses(causal, texts[1])
    assert "".join(frame["token"]) == texts[1]
    assert frame["nats"].sum() == pytest.approx(whole_nats(causal, texts[1]), rel=1e-5)


def test_sequence_log_likelihood_is_the_sum_for_each_text(causal, texts):
    some = [texts[0], texts[1], texts[3], texts[4]]
    expected = [-whole_nats(causal, text) for text in some]
    for batch in (1, 16):
        assert sequence_log_likelihood(causal, some, batch=batch) == pytest.approx(expected,
                                                                                    rel=1e-5)


def test_long_texts_are_scored_in_overlapping_windows(causal, prose):
    text = prose[40][:1500]
    ids = causal.tokenizer(text, add_special_tokens=False).input_ids
    assert len(ids) > 256
    found, = sequence_log_likelihood(causal, [text])
    assert found == pytest.approx(-token_losses(causal, text, 256, stride=128)["nats"].sum(),
                                  rel=1e-6)


def test_completions_are_scored_after_their_prompt(causal):
    prompt, endings = "The statement is", [" true", " false", " executed when it is reached"]
    found = sequence_log_likelihood(causal, prompt, endings)
    apart = sequence_log_likelihood(causal, [prompt] * 3, endings, batch=1)
    expected = [whole_nats(causal, prompt) - whole_nats(causal, prompt + end) for end in endings]
    assert found == pytest.approx(expected, rel=1e-4)
    assert apart == pytest.approx(expected, rel=1e-4)


def test_a_token_across_the_boundary_is_scored_for_all_candidates(causal):
    """'is ' + 'true' reads as ' is', ' true': the space belongs to the scored part, for each."""
    tidy = sequence_log_likelihood(causal, "The statement is", [" true", " 7", " x"])
    untidy = sequence_log_likelihood(causal, "The statement is ", ["true", "7", "x"])
    assert untidy == pytest.approx(tidy, rel=1e-5)


def test_prompts_may_differ_and_be_empty(causal):
    found = sequence_log_likelihood(causal, ["", "One ", "Two"], ["The cat", "thing", " more"])
    assert found[0] == pytest.approx(-whole_nats(causal, "The cat"), rel=1e-5)
    assert found[1:] == pytest.approx(
        [*sequence_log_likelihood(causal, "One ", ["thing"]),
         *sequence_log_likelihood(causal, "Two", [" more"])], rel=1e-5)
    with pytest.raises(DataError, match="2 prompts do not pair with 1"):
        sequence_log_likelihood(causal, ["a", "b"], ["c"])
    with pytest.raises(DataError, match="empty"):
        sequence_log_likelihood(causal, "a", ["c", ""])
