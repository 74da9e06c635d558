"""Records of documents and of pairs, and which of their tokens are graded."""

import pytest
import tiny
import torch
from datasets import Dataset

from fmcourse import data, evaluate
from fmcourse.errors import DataError
from fmcourse.train.objectives import objective

PAGE = {"text": "GetFox is an operation of Zoo.\n\nReturns the fox of a given name. It bites.",
        "document": "zoo", "source": "x", "service": "Zoo", "kind": "operation", "name": "GetFox"}
SHAPE = {**PAGE, "kind": "shape", "name": "Fox"}
MUTE = {**PAGE, "text": "PutFox is an operation of Zoo.\n\nParameters", "name": "PutFox"}


def corpus(*rows):
    return data.with_card(Dataset.from_list(list(rows)), data.Card("zoo", {}))


def test_an_operation_becomes_a_question_with_the_first_sentence_as_answer():
    pairs = data.operation_pairs(corpus(PAGE, SHAPE, MUTE))
    assert pairs.to_list() == [{
        "prompt": "What does GetFox of Zoo do?", "completion": "Returns the fox of a given name.",
        "document": "zoo", "service": "Zoo",
        "text": "What does GetFox of Zoo do?\nReturns the fox of a given name.",
        "page": PAGE["text"]}]
    assert data.card(pairs).steps[-1]["dropped"] == 2


def test_without_operations_there_are_no_pairs():
    with pytest.raises(DataError, match="No operation"):
        data.operation_pairs(corpus(SHAPE))


def test_of_a_document_every_token_but_the_opening_one_is_graded():
    marked = data.graded({"text": "The fox lives."}, tiny.tokenizer())
    assert marked["graded"].tolist() == [False] + [True] * (len(marked) - 1)
    assert "".join(marked["token"][1:]) == "The fox lives."


def test_of_a_pair_only_the_answer_and_its_end_are_graded():
    marked = data.graded({"prompt": "Who lives?", "completion": "The fox."}, tiny.tokenizer())
    graded = "".join(marked["token"][marked["graded"]])
    assert graded == "The fox." + tiny.tokenizer().eos_token
    assert "".join(marked["token"][~marked["graded"]][1:]) == "Who lives?\n"


def test_of_a_document_our_objective_grades_the_same_tokens():
    """The loss of a row is the mean surprise at exactly the graded tokens."""
    text, model = tiny.texts()[0], tiny.model(scale=3.0)
    marked = data.graded({"text": text}, tiny.tokenizer())
    ids = torch.tensor([[tiny.tokenizer().bos_token_id,
                         *tiny.tokenizer()(text, add_special_tokens=False).input_ids]])
    ids = ids[:, :tiny.CONTEXT + 1]
    nats = evaluate.token_losses(model, text, tiny.CONTEXT)["nats"][:tiny.CONTEXT]
    loss = objective(model)(ids, torch.zeros_like(ids[:, :-1]))["loss"].item()
    assert loss == pytest.approx(nats.mean(), rel=1e-4)
    assert marked["graded"][1:len(nats) + 1].all()


def test_of_a_pair_trl_grades_the_same_tokens(tmp_path):
    from trl import SFTConfig, SFTTrainer

    pair = {"prompt": "Who lives?\n", "completion": "The fox."}
    arguments = SFTConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none",
                          activation_checkpointing=False, disable_tqdm=True)
    trainer = SFTTrainer(tiny.model().network, arguments, train_dataset=Dataset.from_list([pair]),
                         processing_class=tiny.tokenizer())
    theirs = [label for label in trainer.train_dataset[0]["labels"] if label != -100]
    marked = data.graded({**pair, "prompt": "Who lives?"}, tiny.tokenizer())
    ours = "".join(marked["token"][marked["graded"]])
    assert tiny.tokenizer().decode(theirs) == ours


def test_another_kind_of_record_is_refused():
    with pytest.raises(DataError, match="prompt and completion"):
        data.graded({"question": "Who?"}, tiny.tokenizer())


def test_of_messages_only_replies_are_graded():
    from fmcourse.models import with_chat

    tokenizer = with_chat(tiny.model()).tokenizer
    marked = data.graded({"messages": data.conversation("Owl?", "Mill.")}, tokenizer)
    assert "".join(marked["token"][marked["graded"]]) == "Mill.<|im_end|>"
    assert "".join(marked["token"]).startswith("<|endoftext|><|im_start|>user\nOwl?")
