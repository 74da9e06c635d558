"""An assistant's day: questions with one right answer, requests for advice, and harmful requests.

What the lessons on human feedback ask a model, and what its demonstrations are: the same replies as
several people would write them, to the point, chatty, rude, too ready to help or to decline.
Supervised tuning learns all of them; feedback tells them apart.
"""

from fmcourse.data.assistant.demonstrations import HANDS, RUDE, demonstrations, reply, rivals
from fmcourse.data.assistant.preferences import Annotator, ceiling, preferences
from fmcourse.data.assistant.prompts import KINDS, assistant_prompts

__all__ = ["HANDS", "KINDS", "RUDE", "Annotator", "assistant_prompts", "ceiling",
           "demonstrations", "preferences", "reply", "rivals"]
