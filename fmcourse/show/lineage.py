"""Lineage as a picture: sources on top, what was made of them below, and what is stale.

Layers are as deep as the longest way from a source; within one, things stand under the mean place
of what they were made of, and lines that cross a layer get a place of their own in it (Sugiyama,
Tagawa and Toda 1981, in its simplest form: two sweeps). Made for the dozens of things of a course.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import FancyBboxPatch

from fmcourse.show import inputs
from fmcourse.show.look import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    VERMILLION,
    Picture,
    canvas,
    ink,
    plain,
    styled,
)

if TYPE_CHECKING:
    from fmcourse.data.governance import Lineage

EDGES = {"source": GREY, "data set": BLUE, "tokens": GREEN, "run": PURPLE, "adapter": ORANGE,
         "model": "#8A5F00"}
CHARACTERS = 80  # of the font that fit the width
Place = tuple[int, float]  # layer, and where across it


@styled
def lineage(graph: Lineage, title: str | None = None) -> Picture:
    """Things and what was made of them, from sources on top to models below.

    A thing that changed has a heavy red frame, what descends from it a light one, with broken lines
    between; one that is known by hash alone has a broken frame.

    Args:
        graph: as `data.governance.lineage` reads it; its files are looked at anew.
        title: optional.

    Raises:
        DataError: there is nothing in it.
    """
    if not graph.nodes:
        raise inputs.DataError("There is nothing to draw.", where="show.lineage",
                               fix="Name a folder with sealed data sets or runs.")
    layers = _layers(graph)
    widest = max(len(layer) for layer in layers)
    changed, dark = graph.changed(), graph.unchecked()
    stale = graph.descendants(*changed)
    figure, ax = canvas(0.72 * len(layers) + 0.1, title=title)
    places = {key: (row, (column + 0.5) / len(layer)) for row, layer in enumerate(layers)
              for column, key in enumerate(layer)}
    for older, newer in graph.edges:
        _line(ax, [places[stop] for stop in _stops(older, newer, places)], older in changed | stale)
    width = 0.94 / max(widest, 2)
    for key, node in graph.nodes.items():
        state = "changed" if key in changed else "stale" if key in stale else (
            "elsewhere" if key in dark else "")
        _box(ax, places[key], width, node.kind, node.name, key[:6], state)
    ax.set(xlim=(0, 1), ylim=(len(layers) - 0.45, -0.55))
    ax.axis("off")
    figure.alt = _told(graph, changed, stale)
    return figure


def _layers(graph: Lineage) -> list[list[object]]:
    """Things by depth, with (older, newer, depth) in the place of lines that pass by."""
    depth: dict[str, int] = {}
    for key in graph.nodes:  # in order: what it was made of comes first
        depth[key] = max((depth[a] + 1 for a, b in graph.edges if b == key), default=0)
    layers: list[list[object]] = [[] for _ in range(max(depth.values()) + 1)]
    above: dict[object, list[object]] = {}
    for key in graph.nodes:
        layers[depth[key]].append(key)
    for older, newer in graph.edges:
        last: object = older
        for row in range(depth[older] + 1, depth[newer]):
            layers[row].append((older, newer, row))
            above[older, newer, row] = [last]
            last = (older, newer, row)
        above.setdefault(newer, []).append(last)
    below = {one: [two for two, some in above.items() if one in some]
             for layer in layers for one in layer}
    for near, order in ((above, range(1, len(layers))), (below, range(len(layers) - 2, -1, -1)),
                        (above, range(1, len(layers)))):
        for row in order:
            _sort(layers, row, near)
    return layers


def _sort(layers: list[list[object]], row: int, near: dict[object, list[object]]) -> None:
    """Put each in a layer where its neighbours are on the mean."""
    place = {one: (column + 0.5) / len(layer) for layer in layers
             for column, one in enumerate(layer)}

    def mean(one: object) -> float:
        beside = [place[other] for other in near.get(one, ())]
        return sum(beside) / len(beside) if beside else place[one]

    layers[row].sort(key=mean)


def _stops(older: str, newer: str, places: dict[object, Place]) -> list[object]:
    """An edge's ends, and where it passes a layer on its way."""
    between = [(older, newer, row) for row in range(places[older][0] + 1, places[newer][0])]
    return [older, *between, newer]


def _line(ax: object, stops: list[Place], stale: bool) -> None:
    rows, columns = zip(*stops, strict=True)
    ax.plot(columns, rows, color=VERMILLION if stale else "#999999", lw=2.2 if stale else 1.4,
            ls=(0, (4, 1.5)) if stale else "-", zorder=1, solid_capstyle="round")


def _box(ax: object, place: Place, width: float, kind: str, name: str, digest: str, state: str
         ) -> None:
    row, column = place
    edge = EDGES.get(kind, GREY)
    frame = VERMILLION if state in ("changed", "stale") else edge
    ax.add_patch(FancyBboxPatch(
        (column - width / 2, row - 0.34), width, 0.68, zorder=2,
        facecolor=PALE if state != "changed" else "#FBE3D6", edgecolor=frame,
        lw=2.6 if state == "changed" else 1.4, ls="--" if state == "elsewhere" else "-",
        boxstyle="round,pad=0,rounding_size=0.02", mutation_aspect=8))
    letters = int(CHARACTERS * width)
    said = kind if not state else f"{kind}: {state}"
    for text, rise, colour, weight in (
            (name, -0.13, "#222222", "bold"), (f"{plain(said, letters - 7)}  {digest}", 0.15,
                                               ink(frame), "normal")):
        ax.text(column, row + rise, plain(text, letters), ha="center", va="center", zorder=3,
                color=colour, fontweight=weight)


def _told(graph: Lineage, changed: set[str], stale: set[str]) -> str:
    parts = [f"{node.kind} {node.name}" + (" (changed)" if key in changed else
                                          " (stale)" if key in stale else "")
             for key, node in graph.nodes.items()]
    return f"Lineage of {len(parts)} things, from sources down to models: {'; '.join(parts)}."
