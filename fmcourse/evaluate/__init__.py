"""Measures of a model: surprise, likelihood, accuracy, samples, n-gram baselines, probes.

Every measure takes a LanguageModel and texts (or probes) and returns numbers or a DataFrame.
Nothing here trains or changes a model; lower bits per byte are better, higher accuracies are.
"""

from fmcourse.evaluate.accuracy import (
    favourite_accuracy,
    masked_accuracy,
    next_token_accuracy,
    one_blank_accuracy,
)
from fmcourse.evaluate.agreement import (
    agreement,
    cohen_interval,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    ratings,
)
from fmcourse.evaluate.answers import recited, reply_bits_per_byte
from fmcourse.evaluate.bits import (
    bits_per_byte,
    bits_per_byte_each,
    sequence_log_likelihood,
    token_losses,
)
from fmcourse.evaluate.commands import Grade, grade_command, grade_commands
from fmcourse.evaluate.constraints import constraint_items, constraint_rate
from fmcourse.evaluate.counterfactual import swap_bits, swap_test
from fmcourse.evaluate.efficiency import LabelRatio, label_efficiency
from fmcourse.evaluate.enough import Plateau, fit_plateau, plateau_interval
from fmcourse.evaluate.facts import fact_probes, score_facts, shuffled
from fmcourse.evaluate.forgetting import forgetting
from fmcourse.evaluate.house_style import style_grade, style_rates
from fmcourse.evaluate.instructions import instruction_rate, instructions
from fmcourse.evaluate.intervals import overall, wilson
from fmcourse.evaluate.knowledge import acronym_items, items_of, operation_items
from fmcourse.evaluate.labels import label_confusion, label_rates
from fmcourse.evaluate.memory import exposure, exposures, extracted, memorised
from fmcourse.evaluate.ngram import NGram
from fmcourse.evaluate.pairs import minimal_pairs, score_pairs
from fmcourse.evaluate.reward import (
    calibration,
    calibration_error,
    length_bias,
    pairwise_accuracy,
    preference_report,
    reward_report,
)
from fmcourse.evaluate.rouge import rouge_l, rouge_l_scores
from fmcourse.evaluate.rubric import declines, rubric, win_rate
from fmcourse.evaluate.sampling import fill_in, sample
from fmcourse.evaluate.scaling import PowerLaw, fit_power_law, frontier
from fmcourse.evaluate.slices import slice_change, slice_rates
from fmcourse.evaluate.word_order import word_order_score

__all__ = [
    "Grade", "LabelRatio", "NGram", "Plateau", "PowerLaw", "acronym_items", "agreement",
    "bits_per_byte", "bits_per_byte_each", "calibration", "calibration_error", "cohen_interval",
    "cohen_kappa", "constraint_items", "constraint_rate", "declines", "exposure", "exposures",
    "extracted", "fact_probes", "favourite_accuracy", "fill_in", "fit_plateau", "fit_power_law",
    "fleiss_kappa", "forgetting", "frontier", "grade_command", "grade_commands",
    "instruction_rate", "instructions", "items_of", "krippendorff_alpha", "label_confusion",
    "label_efficiency", "label_rates", "length_bias", "masked_accuracy", "memorised",
    "minimal_pairs", "next_token_accuracy", "one_blank_accuracy", "operation_items", "overall",
    "pairwise_accuracy", "percent_agreement", "plateau_interval", "preference_report", "ratings",
    "recited", "reply_bits_per_byte", "reward_report", "rouge_l", "rouge_l_scores", "rubric",
    "sample", "score_facts", "score_pairs", "sequence_log_likelihood", "shuffled", "slice_change",
    "slice_rates", "style_grade", "style_rates", "swap_bits", "swap_test", "token_losses",
    "wilson", "win_rate", "word_order_score",
]
