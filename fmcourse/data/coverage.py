"""How much of a collection a sample covers, and samples that cover much or little of it.

Texts become vectors (TF-IDF reduced by SVD: what words they use) and vectors become clusters
(k-means); a sample covers the clusters it has a text in. Two numbers need no threshold: the
effective number of clusters, exp(entropy), and the Vendi score (Friedman and Dieng 2023,
arXiv:2210.02410), which needs no clusters either. Trade-off: two texts that say the same in other
words count as different; vectors of a language model (`train.features`) can be handed in instead.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from fmcourse.errors import DataError

DIMENSIONS = 64


def text_vectors(texts: Sequence[str], dimensions: int = DIMENSIONS, seed: int = 0) -> np.ndarray:
    """A text as the words it uses, of unit length. (texts, dimensions or fewer)

    A text without any word is the zero vector.

    Raises:
        DataError: no text has a word.
    """
    try:
        counts = TfidfVectorizer(sublinear_tf=True, min_df=1).fit_transform(texts)
    except ValueError as error:
        raise DataError("No text has a word in it.", where="text_vectors",
                        fix="Give texts of words of two letters or more.") from error
    size = min(dimensions, *(extent - 1 for extent in counts.shape))
    found = counts.toarray() if size < 1 else TruncatedSVD(size, random_state=seed).fit_transform(
        counts)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 1e-12)


def clusters(points: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """The cluster of each vector, 0 … count - 1; k-means. (texts,)

    Raises:
        DataError: there are fewer vectors than clusters, or no cluster is asked for.
    """
    _enough(len(points), count, "clusters")
    return MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=1024).fit_predict(points)


@dataclass(frozen=True)
class Coverage:
    """What a sample covers of a collection.

    Attributes:
        hit: share of the collection's clusters that the sample has a text in.
        effective: clusters, had it as many texts in each: exp of the entropy.
        clusters: how many the collection has.
    """

    hit: float
    effective: float
    clusters: int


def coverage(assigned: Sequence[int], chosen: Sequence[int]) -> Coverage:
    """What the chosen texts cover of all.

    Args:
        assigned: the cluster of each text of the collection.
        chosen: indices of the sample.

    >>> coverage([0, 0, 1, 1, 2, 2], [0, 1, 2, 3])
    Coverage(hit=0.6666666666666666, effective=2.0, clusters=3)
    """
    of_all = np.asarray(assigned)
    if not len(chosen):
        raise DataError("A sample of nothing covers nothing.", where="coverage",
                        fix="Choose at least one text.")
    counts = np.unique(of_all[list(chosen)], return_counts=True)[1]
    shares = counts / counts.sum()
    total = len(np.unique(of_all))
    return Coverage(len(counts) / total, float(np.exp(-(shares * np.log(shares)).sum())), total)


def vendi(points: np.ndarray) -> float:
    """The Vendi score: how many wholly different texts would be as diverse. 1 to texts

    exp of the entropy of the eigenvalues of K / n, where K holds the cosine of every pair.

    >>> round(vendi(np.eye(3)), 3), round(vendi(np.ones((3, 1))), 3)
    (3.0, 1.0)
    """
    lengths = np.linalg.norm(points, axis=1)
    rows = points[lengths > 1e-12] / lengths[lengths > 1e-12, None]
    if not len(rows):
        raise DataError("Vectors without length have no diversity.", where="vendi",
                        fix="Give texts with words in them.")
    shares = np.linalg.svd(rows, compute_uv=False) ** 2 / len(rows)
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def diverse(points: np.ndarray, n: int, seed: int = 0,
            by: Sequence[Hashable] | None = None) -> list[int]:
    """n vectors that cover much: n clusters are made, and of each the text nearest to its middle.

    A cluster's middle rather than the farthest point: the farthest texts of a real collection are
    its oddest, and say little about the rest.

    Args:
        points: (texts, dimensions), as by `text_vectors`.
        n: how many.
        seed: of the clusters.
        by: a label each; as many are then chosen of each label, as far as n allows.

    Returns:
        n different indices, in order.
    """
    return _within(points, n, seed, by, _spread)


def narrow(points: np.ndarray, n: int, seed: int = 0,
           by: Sequence[Hashable] | None = None) -> list[int]:
    """n vectors that cover little: one is drawn, with its nearest neighbours. Else as `diverse`."""
    return _within(points, n, seed, by, _neighbours)


def _spread(points: np.ndarray, n: int, seed: int) -> list[int]:
    if n >= len(points):
        return list(range(len(points)))
    made = MiniBatchKMeans(n, random_state=seed, n_init=1, batch_size=1024).fit(points)
    away = np.linalg.norm(points - made.cluster_centers_[made.labels_], axis=1)
    order = np.argsort(away, kind="stable")
    firsts = {int(made.labels_[i]): int(i) for i in order[::-1]}  # the nearest of each cluster
    chosen = set(firsts.values())
    for i in order:  # two clusters may share all their texts: fill up
        if len(chosen) >= n:
            break
        chosen.add(int(i))
    return list(chosen)


def _neighbours(points: np.ndarray, n: int, seed: int) -> list[int]:
    first = np.random.default_rng(seed).integers(len(points))
    away = np.linalg.norm(points - points[first], axis=1)
    away[first] = -1.0
    return np.argsort(away, kind="stable")[:n].tolist()


def _within(points: np.ndarray, n: int, seed: int, by: Sequence[Hashable] | None, choose
            ) -> list[int]:
    _enough(len(points), n, "texts")
    if by is None:
        return sorted(choose(points, n, seed))
    rows: dict[Hashable, list[int]] = {}
    for i, label in enumerate(by):
        rows.setdefault(label, []).append(i)
    sizes = _shares(n, [len(own) for own in rows.values()])
    return sorted(own[i] for own, size in zip(rows.values(), sizes, strict=True) if size
                  for i in choose(points[own], size, seed))


def _shares(n: int, room: Sequence[int]) -> list[int]:
    """n places over groups with so much room, one each in turn."""
    sizes = [0] * len(room)
    while sum(sizes) < n:
        for i, most in enumerate(room):
            if sizes[i] < most and sum(sizes) < n:
                sizes[i] += 1
    return sizes


def _enough(there: int, wanted: int, of: str) -> None:
    if not 1 <= wanted <= there:
        raise DataError(f"{wanted} {of} cannot be had of {there} texts.", where="coverage",
                        fix=f"Ask for 1 to {there}.")
