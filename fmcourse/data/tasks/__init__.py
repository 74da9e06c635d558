"""Many small tasks phrased as instructions, made of real text: what instruction tuning trains on.

`task_records` draws conversations; `families` lists the tasks; `TRAINED` and `HELD_OUT` name them;
`ladder` gives nested sets of training families.
"""

from fmcourse.data.tasks.collection import (
    FAMILIES,
    HELD_OUT,
    RUNGS,
    TRAINED,
    families,
    ladder,
    task_records,
)
from fmcourse.data.tasks.family import Family, Item

__all__ = ["FAMILIES", "HELD_OUT", "RUNGS", "TRAINED", "Family", "Item", "families", "ladder",
           "task_records"]
