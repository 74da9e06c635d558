"""A module per stage; each takes (model, data, recipe) and returns a `Run`."""

from fmcourse.train import losses
from fmcourse.train.classify import ARMS, Classifier, ClassifyRecipe, classify
from fmcourse.train.continued import continued
from fmcourse.train.distil import distil
from fmcourse.train.distil_recipes import LogitRecipe, SequenceRecipe
from fmcourse.train.dry_run import Memory, memory
from fmcourse.train.features import features
from fmcourse.train.grpo import GRPORecipe, grpo
from fmcourse.train.images import image_transfer
from fmcourse.train.instruct import instruct
from fmcourse.train.loss import linear_cross_entropy
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.pair_recipes import PreferenceRecipe, RewardRecipe
from fmcourse.train.ppo import PPORecipe, ppo
from fmcourse.train.preference import prefer
from fmcourse.train.pretrain import pretrain
from fmcourse.train.recipe import ContinuedRecipe, InstructRecipe, PretrainRecipe
from fmcourse.train.reward import reward
from fmcourse.train.run import Cost, Run, flops_per_token
from fmcourse.train.soft_labels import SoftLabels, soft_labels
from fmcourse.train.teacher_answers import Answers, teacher_answers
from fmcourse.train.words import bag_of_words

__all__ = [
    "ARMS", "Answers", "Classifier", "ClassifyRecipe", "ContinuedRecipe", "Cost", "GRPORecipe",
    "InstructRecipe", "LogitRecipe", "Memory", "PPORecipe", "PreferenceRecipe", "PretrainRecipe",
    "RewardRecipe", "Run", "SequenceRecipe", "SoftLabels", "bag_of_words", "classify", "continued",
    "distil", "features", "flops_per_token", "grpo", "image_transfer", "instruct",
    "linear_cross_entropy", "losses", "make_optimizer", "memory", "ppo", "prefer", "pretrain",
    "reward", "soft_labels", "teacher_answers", "warmup_stable_decay",
]
