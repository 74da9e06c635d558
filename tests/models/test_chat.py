"""A template for models that have none, and conversations that outgrow the context."""

import pytest
import tiny

from fmcourse.errors import ModelError
from fmcourse.models import Chat, build, continuations, replies, reply, with_chat


@pytest.fixture
def model():
    return build(tiny.SHAPE, tiny.tokenizer(), context=128)


def test_a_base_gets_a_template_and_stays_as_it_was(model):
    able = with_chat(model)
    assert model.tokenizer.chat_template is None
    assert able.sha256() == model.sha256()
    assert with_chat(able) is able
    ends = able.tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert able.network.generation_config.eos_token_id == ends
    assert model.network.generation_config.eos_token_id != ends


def test_the_template_survives_saving(model, tmp_path):
    from fmcourse.models import load

    again = load(with_chat(model).save(tmp_path / "m"))
    assert again.tokenizer.chat_template == with_chat(model).tokenizer.chat_template
    assert with_chat(again) is again
    said = [{"role": "user", "content": "Owl?"}]
    written = again.tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert written == (
        "<|endoftext|><|im_start|>user\nOwl?<|im_end|>\n<|im_start|>assistant\n")


def test_no_tokens_for_turns_no_template(model):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    model.tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
    with pytest.raises(ModelError, match="no tokens for turns"):
        with_chat(model)
    with pytest.raises(ModelError, match="no chat template"):
        reply(model, "Owl?")


def test_old_turns_make_room_for_new_ones(model):
    talk = Chat(model, system="Be brief.", tokens=16)
    for turn in range(12):
        assert talk.say(f"Where is the fox, {turn}?") == talk.messages[-1]["content"]
    assert len(talk.messages) == 24
    assert 0 < talk.unread < 24
    assert talk.unread % 2 == 0
    read = [*talk._scene(), *talk.messages[talk.unread:-1]]
    assert reply(talk.model, read, 16, seed=23) == talk.messages[-1]["content"]
    talk.start_again()
    assert talk.messages == []


def test_a_message_too_long_is_as_if_never_said(model):
    talk = Chat(model, tokens=16)
    talk.say("Where is the fox?")
    before = list(talk.messages)
    with pytest.raises(ModelError, match="context of 128"):
        talk.say("fox " * 200)
    assert talk.messages == before
    assert talk.say("And the owl?") is not None


def test_a_run_is_opened_as_its_model(model, tmp_path):
    from fmcourse.models import load

    able = with_chat(model)
    able.save(tmp_path / "run" / "model")
    (tmp_path / "run" / "run.json").write_text("{}")
    assert load(tmp_path / "run").sha256() == able.sha256()


def test_many_are_answered_in_their_order_as_each_alone(model):
    able = with_chat(model)
    asked = ["Owl?", "What does the fox look at every morning before it goes home?", "Why?",
             [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."},
              {"role": "user", "content": "Who lives here?"}]]
    assert replies(able, asked, tokens=6, batch=2) == [reply(able, said, tokens=6)
                                                       for said in asked]


def test_nobody_asks_nobody_answers(model):
    assert replies(with_chat(model), []) == []


def test_continuations_keep_their_prompts_order():
    class Echo:
        def generate(self, prompts, **settings):
            assert settings["temperature"] == 0
            return [prompt.upper() for prompt in prompts]

    prompts = ["ccc", "a", "bb", "dddd", "e"]
    for batch in (1, 2, 5, 9):
        assert continuations(Echo(), prompts, batch=batch) == [p.upper() for p in prompts]
