"""Smaller models to learn from a larger one: of its tokens, its template and its ends of turns.

Two ways. Fewer of the teacher's own layers, evenly taken, the first and the last among them, as in
DistilBERT (Sanh et al. 2019, arXiv:1910.01108): such a student starts with the teacher's embeddings
and half a working network, and needs a fraction of the training. But it stays as wide: of our base,
a quarter of whose weights are embeddings, one layer is still two fifths. Below that a student is
built narrower, from random weights, and has to be taught to write, too. Take layers where they make
a student small enough.

Both ends, because of all pairs of our tuned base's five layers the first and the last began best:
at 2.0 bits per byte of right answers, others at 2.4 to 3.6 (the whole teacher: 0.5; one seed).
"""

from __future__ import annotations

import copy

from fmcourse.errors import ModelError
from fmcourse.models import compat
from fmcourse.models.build import Shape, build
from fmcourse.models.four_bits import is_quantized
from fmcourse.models.language_model import LanguageModel


def student(teacher: LanguageModel, size: int | str | Shape, seed: int = 0) -> LanguageModel:
    """A smaller model that reads and writes the same tokens, and ends its turns alike.

    Args:
        teacher: a causal model.
        size: how many of the teacher's layers to take; or a name of `SIZES` or a `Shape`, for
            random weights.
        seed: of random weights.

    Returns:
        A model with weights of its own; the card of one made of the teacher's layers names it.

    Raises:
        ModelError: a masked teacher; not so many layers; no such size; or layers are to be taken
            from another kind of network than a plain stack that each attend to all, such as one
            of four bits or with an adapter.
    """
    if teacher.objective != "causal":
        raise ModelError("A masked model has nothing to say to a student.", where=teacher.name,
                         fix="Use a model that predicts the next token.")
    if isinstance(size, int):
        made = _of_layers(teacher, size)
    else:
        made = build(size, teacher.tokenizer, context=teacher.context, seed=seed)
    made.network.generation_config = copy.deepcopy(teacher.network.generation_config)
    return made


def evenly_taken(layers: int, of: int) -> list[int]:
    """Which layers to take, the first and the last among them; of one, the first.

    >>> evenly_taken(3, 5), evenly_taken(2, 5), evenly_taken(1, 5)
    ([0, 2, 4], [0, 4], [0])
    """
    return [round(place * (of - 1) / max(1, layers - 1)) for place in range(layers)]


def _of_layers(teacher: LanguageModel, layers: int) -> LanguageModel:
    network = teacher.network
    own = getattr(getattr(network, "model", None), "layers", None)
    if own is None or is_quantized(teacher) or not compat.attends_to_all(network):
        raise ModelError("Layers cannot be taken out of this kind of network.",
                         where=type(network).__name__,
                         fix="Name a size: models.student(teacher, '3m'); or take them out of "
                             "models.merged(teacher), if it has an adapter.")
    if not 0 < layers <= len(own):
        raise ModelError(f"This teacher has {len(own)} layers; {layers} cannot be taken.",
                         where=teacher.name, fix=f"Take 1 to {len(own)}.")
    made = type(network)(compat.with_layers(network.config, layers))
    shared = {key: value for key, value in network.state_dict().items()
              if not key.startswith("model.layers.")}
    made.load_state_dict(shared, strict=False)
    for new, old in enumerate(evenly_taken(layers, len(own))):
        made.model.layers[new].load_state_dict(own[old].state_dict())
    made.to(teacher.device, network.dtype).eval()
    return LanguageModel(made, teacher.tokenizer, f"{teacher.name}, {layers} of {len(own)} layers",
                         "causal", {"made_of": [teacher.sha256()]})
