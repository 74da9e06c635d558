"""The small image network, and what it carries from some digits to others."""

import pytest
import torch

from fmcourse.errors import DataError
from fmcourse.models import ConvNet
from fmcourse.train.images import (
    digits,
    fine_tune_images,
    image_transfer,
    on_page,
    pretrain_images,
)


def test_a_seed_decides_the_weights_and_the_global_state_is_left_alone():
    before = torch.get_rng_state()
    first, second = ConvNet(3, seed=1), ConvNet(3, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    images = torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(first(images), second(images))
    assert not torch.equal(first(images), ConvNet(3, seed=2)(images))


def test_new_classes_keep_the_body():
    base, images = ConvNet(5), torch.rand(3, 1, 16, 16)
    other = base.with_classes(7)
    assert other(images).shape == (3, 7)
    torch.testing.assert_close(other.features(images), base.features(images))
    other.body[0].weight.data.zero_()
    assert base.body[0].weight.abs().sum() > 0


def test_digits_are_labelled_from_zero_and_split_apart():
    found = digits(5, 9)
    assert found.train_labels.unique().tolist() == [0, 1, 2, 3, 4]
    assert len(found.train) + len(found.test) == 896
    pages, labels = found.few(3)
    assert torch.bincount(labels).tolist() == [3] * 5
    assert torch.equal(found.few(1)[0][0], pages[0])  # fewer are among more
    with pytest.raises(DataError, match="Ask for 1 to"):
        found.few(1000)


def test_a_page_holds_the_whole_digit_somewhere_else_each_time():
    images = torch.rand(20, 1, 8, 8)
    pages = on_page(images, torch.Generator().manual_seed(0))
    torch.testing.assert_close(pages.sum((1, 2, 3)), images.sum((1, 2, 3)))
    other = on_page(images, torch.Generator().manual_seed(1))
    assert not torch.equal(pages, other)


def test_frozen_keeps_the_body_and_full_moves_it():
    new, base = digits(5, 9), ConvNet(5)
    few, labels = new.few(4)
    draw = torch.Generator().manual_seed(0)
    frozen = fine_tune_images(base, few, labels, draw, frozen=True)
    full = fine_tune_images(base, few, labels, draw, steps=3)
    assert torch.equal(frozen.body[0].weight, base.body[0].weight)
    assert not torch.equal(full.body[0].weight, base.body[0].weight)


def test_pre_training_works_on_a_copy():
    old, fresh = digits(0, 4), ConvNet(5)
    start = fresh.body[0].weight.clone()
    draw = torch.Generator().manual_seed(0)
    few, labels = old.few(8)
    base = pretrain_images(fresh, few, labels, draw, steps=3)
    assert torch.equal(fresh.body[0].weight, start)
    assert not torch.equal(base.body[0].weight, start)


@pytest.mark.slow
def test_features_learnt_on_other_digits_help():
    table = image_transfer((4, 16)).set_index(["arm", "labels"])["accuracy"]
    for labels in (20, 80):
        assert table["base, frozen", labels] > table["scratch, frozen", labels] + 0.05
