"""The plotting room: pictures and tables a person would look at.

Every function takes plain frames, dictionaries or Runs and returns one thing that a notebook shows
once: a `Picture` (a matplotlib Figure) or an `Html` table. matplotlib only: it draws the same
everywhere and its PNGs live in committed notebooks, where interactive charts would be blank.
"""

from fmcourse.show.chat import ChatBox, chat
from fmcourse.show.compare import before_after, cost_bars
from fmcourse.show.curves import loss_curve, scaling
from fmcourse.show.diagrams import attention_pattern, funnel, mask_figure
from fmcourse.show.front import trade_off
from fmcourse.show.heatmap import token_heatmap
from fmcourse.show.label import LabelBox, label
from fmcourse.show.learning import learning_curves
from fmcourse.show.lineage import lineage
from fmcourse.show.look import Picture, style
from fmcourse.show.rank import RankBox, rank
from fmcourse.show.tables import Html, samples_over_time, table
from fmcourse.show.trials import pairs_bars, seeds

__all__ = [
    "ChatBox", "Html", "LabelBox", "Picture", "RankBox", "attention_pattern", "before_after",
    "chat", "cost_bars", "funnel", "label", "learning_curves", "lineage", "loss_curve",
    "mask_figure", "pairs_bars", "rank", "samples_over_time", "scaling", "seeds", "style", "table",
    "token_heatmap", "trade_off",
]
