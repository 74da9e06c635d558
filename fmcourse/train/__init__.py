"""A module per stage; each takes (model, data, recipe) and returns a `Run`."""

from fmcourse.train.continued import continued
from fmcourse.train.loss import linear_cross_entropy
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.pretrain import pretrain
from fmcourse.train.recipe import ContinuedRecipe, PretrainRecipe
from fmcourse.train.run import Cost, Run, flops_per_token

__all__ = ["ContinuedRecipe", "Cost", "PretrainRecipe", "Run", "continued", "flops_per_token",
           "linear_cross_entropy", "make_optimizer", "pretrain", "warmup_stable_decay"]
