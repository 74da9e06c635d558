"""Label-efficiency ratios, by hand."""

import math

import pytest

from fmcourse.errors import DataError
from fmcourse.evaluate.efficiency import label_efficiency


def test_between_sizes_it_interpolates_over_the_logarithm():
    # 0.6 is half way from 0.4 at 10 to 0.8 at 1000: 100 labels. The treatment has it at 20.
    found = label_efficiency({20: 0.6, 200: 0.9}, {10: 0.4, 1000: 0.8}, target=0.6)
    assert found.value == pytest.approx(5)
    assert (found.treatment_labels, found.control_labels) == pytest.approx((20, 100))
    assert not found.censored


def test_a_control_that_never_gets_there_is_censored():
    found = label_efficiency({8: 0.7, 64: 0.9}, {8: 0.1, 512: 0.6}, target=0.7)
    assert found.censored
    assert found.value == pytest.approx(64)  # more than 512 labels against 8
    assert str(found) == "the control needs > 64× the labels"


def test_equal_curves_have_ratio_one_and_swapped_ones_its_inverse():
    better, worse = {10: 0.5, 100: 0.7, 1000: 0.9}, {10: 0.3, 100: 0.5, 1000: 0.7}
    assert label_efficiency(better, better).value == pytest.approx(1)
    there = label_efficiency(better, worse, target=0.6).value
    assert there == pytest.approx(10)
    assert label_efficiency(worse, better, target=0.6).value == pytest.approx(1 / there)


def test_a_dip_is_averaged_away():
    # Isotonic regression pools 0.6 and 0.4 into 0.5 at both 10 and 100.
    found = label_efficiency({10: 0.5, 1000: 1.0}, {1: 0.1, 10: 0.6, 100: 0.4, 1000: 1.0},
                             target=0.75)
    assert found.treatment_labels == pytest.approx(100)  # half way from 10 to 1000
    assert found.control_labels == pytest.approx(math.sqrt(100 * 1000))


def test_the_default_target_is_the_best_that_both_reach_with_dips_smoothed():
    assert label_efficiency({1: 0.1, 2: 0.2, 4: 0.9}, {1: 0.1, 8: 0.3}).target == 0.3
    dipped = label_efficiency({1: 0.1, 8: 0.8}, {1: 0.1, 8: 0.5, 64: 0.3})
    assert dipped.target == pytest.approx(0.4)
    assert not dipped.censored


@pytest.mark.parametrize(("treatment", "control", "target"), [
    ({10: 0.5}, {10: 0.1, 100: 0.2}, None),
    ({10: 0.5, 100: 0.6}, {}, None),
    ({0: 0.5, 100: 0.6}, {10: 0.1, 100: 0.2}, None),
    ({10: math.nan, 100: 0.6}, {10: 0.1, 100: 0.2}, None),
    ({10: 0.5, 100: 0.6}, {10: 0.1, 100: 0.2}, 0.7),
])
def test_what_is_no_curve_or_out_of_reach_is_refused(treatment, control, target):
    with pytest.raises(DataError, match="what to do"):
        label_efficiency(treatment, control, target)
