"""Students: the teacher's own layers where they are taken, its tokens and ends in any case."""

from __future__ import annotations

import pytest
import tiny
import torch

from fmcourse.errors import ModelError
from fmcourse.models import Adapter, Shape, adapt, build, reply, student, with_chat
from fmcourse.models.student import evenly_taken


@pytest.fixture
def teacher():
    return with_chat(build(Shape(32, 5, 64, 2), tiny.tokenizer(), context=64, seed=3))


def test_layers_are_taken_evenly_with_both_ends():
    for of in range(1, 30):
        for layers in range(1, of + 1):
            taken = evenly_taken(layers, of)
            assert len(set(taken)) == layers
            assert taken == sorted(taken)
            assert taken[0] == 0
            assert taken[-1] == (of - 1 if layers > 1 else 0)


def test_it_is_made_of_the_teacher_s_layers(teacher):
    small = student(teacher, 3)
    assert small.parameters < teacher.parameters
    assert small.name == f"{teacher.name}, 3 of 5 layers"
    assert small.card["made_of"] == [teacher.sha256()]
    for new, old in enumerate((0, 2, 4)):
        own, theirs = small.network.model.layers[new], teacher.network.model.layers[old]
        for key, value in own.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[key])
    assert torch.equal(small.network.lm_head.weight, teacher.network.lm_head.weight)
    assert torch.equal(small.network.model.norm.weight, teacher.network.model.norm.weight)
    with torch.no_grad():
        small.network.model.embed_tokens.weight.zero_()  # weights of its own
    assert teacher.network.model.embed_tokens.weight.abs().sum() > 0


def test_all_layers_make_the_teacher(teacher):
    assert student(teacher, 5).sha256() == teacher.sha256()


@pytest.mark.parametrize("size", [2, "tiny", Shape(16, 1, 32, 2)])
def test_it_reads_and_writes_as_the_teacher_and_stops_alike(teacher, size, tmp_path):
    small = student(teacher, size)
    assert small.ends() == teacher.ends() != teacher.tokenizer.eos_token_id
    assert small.tokenizer.chat_template == teacher.tokenizer.chat_template
    assert small.context == teacher.context
    assert isinstance(reply(small, "Where is the fox?", tokens=8), str)
    from fmcourse import models

    again = models.load(small.save(tmp_path / "small"))
    assert again.sha256() == small.sha256()
    assert again.ends() == small.ends()


def test_what_cannot_be_a_student_is_refused(teacher):
    for layers in (0, 6):
        with pytest.raises(ModelError, match="has 5 layers"):
            student(teacher, layers)
    with pytest.raises(ModelError, match="no size called"):
        student(teacher, "half")
    with pytest.raises(ModelError, match="masked"):
        student(tiny.model("masked"), 1)
    with pytest.raises(ModelError, match="cannot be taken out") as caught:
        student(adapt(teacher, Adapter("lora", rank=2)), 2)
    assert "merged" in caught.value.fix
    teacher.network.is_loaded_in_4bit = True
    with pytest.raises(ModelError, match="cannot be taken out"):
        student(teacher, 2)
    teacher.network.is_loaded_in_4bit = False
    teacher.network.config.sliding_window = 8
    with pytest.raises(ModelError, match="cannot be taken out"):
        student(teacher, 2)
