import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import windows
from fmcourse.evaluate.windows import cut, evaluating


@given(length=st.integers(1, 60), context=st.integers(1, 20), data=st.data())
def test_every_token_is_a_target_exactly_once(length, context, data):
    stride = data.draw(st.integers(1, context))
    tokens = np.arange(1, length + 1)
    cuts = cut(7, tokens, bos=0, context=context, stride=stride)
    assert np.concatenate([w.targets for w in cuts]).tolist() == tokens.tolist()
    for window in cuts:
        assert window.document == 7
        assert len(window.inputs) <= context
        assert window.inputs[0] == 0
        # What is read is the text just before each target, and the targets are the last positions.
        read = window.inputs[len(window.inputs) - len(window.targets) + 1:]
        assert read.tolist() == window.targets[:-1].tolist()
        last = window.targets[-1]
        assert window.inputs[1:].tolist() == list(range(last - len(window.inputs) + 1, last))


def test_without_overlap_a_later_window_starts_from_bos_alone():
    later = cut(0, np.arange(1, 8), bos=0, context=4, stride=4)[1]
    assert (later.inputs.tolist(), later.targets.tolist()) == ([0, 5, 6], [5, 6, 7])


def test_modes_come_back_as_they_were_even_after_an_error():
    network = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Dropout())
    network[1].eval()  # frozen by hand, as adapters do
    inside = []

    def fail():
        inside.append((network[0].training, torch.is_inference_mode_enabled()))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), evaluating(network):
        fail()
    assert inside == [(False, True)]
    assert network.training
    assert network[0].training
    assert not network[1].training
    assert not torch.is_inference_mode_enabled()


def test_a_large_vocabulary_makes_smaller_batches(causal, texts, monkeypatch):
    sizes = []
    original = windows._score_batch

    def spy(model, some, *rest):
        sizes.append(len(some) * max(len(w.inputs) for w in some))
        return original(model, some, *rest)

    monkeypatch.setattr(windows, "_score_batch", spy)
    monkeypatch.setattr(windows, "_BATCH_LOGITS", 512 * 70)
    documents = windows.encode(causal.tokenizer, texts)
    limited = windows.score_tokens(causal, documents, context=64, stride=64, batch=16)
    assert max(sizes) <= 70
    monkeypatch.setattr(windows, "_BATCH_LOGITS", 2**26)
    free = windows.score_tokens(causal, documents, context=64, stride=64, batch=16)
    assert max(sizes) > 70
    for one, other in zip(limited, free, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("bad", "says"), [
    ([], "no text"), ([""], "empty text"), (["a", ""], "text 1"), ([3], "must be a string"),
])
def test_bad_texts_are_refused_in_words(bad, says):
    with pytest.raises(DataError, match=says):
        windows.as_texts(bad)


def test_a_dataset_with_a_text_column_is_a_list_of_texts():
    from datasets import Dataset

    assert windows.as_texts(Dataset.from_dict({"text": ["a", "b"], "n": [1, 2]})) == ["a", "b"]
    assert windows.as_texts("one") == ["one"]


def test_impossible_windows_are_refused(causal):
    with pytest.raises(ModelError, match="257"):
        windows.check_context(causal, 257, 257)
    for stride in (0, 65):
        with pytest.raises(DataError, match="stride"):
            windows.check_context(causal, 64, stride)


def test_a_device_without_float64_will_do(causal, texts, without_float64):
    documents = windows.encode(causal.tokenizer, texts[:2])
    values = windows.score_tokens(causal, documents, context=64, stride=64, batch=2)
    assert {row.dtype for row in values} == {np.dtype("float64")}
    assert without_float64.home
