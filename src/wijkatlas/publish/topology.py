"""Topology: the areas of several levels as shared arcs on one integer grid, and as bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from wijkatlas.errors import PublishError
from wijkatlas.geometry import Geometries

# Areas that vanish on the grid are drawn on one that is this many times finer.
FINER = 64

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Topology:
    """
    Borders cut into arcs, each stored once however many areas and levels use it.

    `arcs` are (n, 2) grid coordinates, both ends included; those from number `coarse` on lie on the finer
    grid. `areas` holds, per level and per area, the rings: signed arc numbers, ~n for arc n backwards.
    Outer rings and holes are not told apart: areas are filled by the even-odd rule.
    """

    origin: tuple[float, float]
    step: float
    arcs: list[Integers]
    coarse: int
    areas: list[list[list[Integers]]]

    def encode(self) -> bytes:
        """
        Write the topology as variable-length integers.

        Notes
        -----
        Number of points of each arc; x and then y of all points as zigzag differences; number of rings of
        each area; number of arcs of each ring; the rings' arc numbers as zigzag differences; which of them
        run backwards. An arc mostly starts where the one before it ends, which makes its difference 0.
        """
        areas = [area for level in self.areas for area in level]
        rings = [ring for area in areas for ring in area]
        signed = np.concatenate(rings)
        backwards = signed < 0
        x, y = np.concatenate(self.arcs).T
        return b"".join(
            varints(values)
            for values in (
                np.array([len(arc) for arc in self.arcs]),
                zigzag(_differences(x)),
                zigzag(_differences(y)),
                np.array([len(area) for area in areas]),
                np.array([len(ring) for ring in rings]),
                zigzag(_differences(np.where(backwards, ~signed, signed))),
                backwards.astype(np.int64),
            )
        )


@dataclass(frozen=True)
class _Rings:
    """Rings without their closing point: all points in one array, cut by `size`."""

    points: npt.NDArray[np.float64]
    size: Integers
    area: Integers  # the number of the area that each ring belongs to

    @property
    def start(self) -> Integers:
        return np.cumsum(self.size) - self.size

    @property
    def of_point(self) -> Integers:
        return np.repeat(np.arange(len(self.size)), self.size)

    def following(self) -> Integers:
        """Return the position of each point's successor, round its ring."""
        following = np.arange(1, len(self.points) + 1)
        following[self.start + self.size - 1] = self.start
        return following

    def where(self, keep_point: npt.NDArray[np.bool_]) -> "_Rings":
        """Keep some points, and the rings that still have any."""
        size = np.bincount(self.of_point[keep_point], minlength=len(self.size))
        return _Rings(self.points[keep_point], size[size > 0], self.area[size > 0])


def build_topology(levels: Sequence[Geometries], step: float) -> Topology:
    """
    Put the areas of one or more levels on an integer grid and share their borders.

    Parameters
    ----------
    levels
        Polygons and multipolygons of each level, in the projected units of the page; borders that have the
        same points, within a level and between levels, are stored once.
    step
        Width of a grid cell, same unit.

    Returns
    -------
    topology
        Every area has at least one ring: one that would vanish is kept on a finer grid.

    Raises
    ------
    PublishError
        An area is empty, or vanishes on the finer grid too.
    """
    geometries = np.concatenate([np.asarray(level, dtype=object) for level in levels])
    exact = _rings_of(geometries)
    origin = tuple(np.floor(exact.points.min(axis=0) / step) * step)
    coarse = _snap(exact, origin, step)
    vanished = np.setdiff1d(np.arange(len(geometries)), coarse.area)
    arcs, rings = _cut(coarse)
    of_area: list[list[Integers]] = [[] for _ in geometries]
    for ring, area in zip(rings, coarse.area, strict=True):
        of_area[area].append(ring)
    fine = _snap(exact.where(np.isin(exact.area[exact.of_point], vanished)), origin, step / FINER)
    gone = np.setdiff1d(vanished, fine.area)
    if len(gone):
        raise PublishError(f"areas smaller than {step / FINER:g} m, positions {gone.tolist()[:5]}: drop them")
    n_coarse = len(arcs)
    for start, size, area in zip(fine.start, fine.size, fine.area, strict=True):
        closed = fine.points[[*range(start, start + size), start]].astype(np.int64)
        of_area[area].append(np.array([len(arcs)]))
        arcs.append(closed)
    ends = np.cumsum([len(level) for level in levels])
    areas = [of_area[end - len(level) : end] for end, level in zip(ends, levels, strict=True)]
    return Topology((float(origin[0]), float(origin[1])), step, arcs, n_coarse, areas)


def _rings_of(geometries: Geometries) -> _Rings:
    parts, area_of_part = shapely.get_parts(geometries, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    size = np.bincount(ring_of_point, minlength=len(rings))
    closing = np.zeros(len(points), bool)
    closing[np.cumsum(size) - 1] = True
    return _Rings(points, size, area_of_part[part_of_ring]).where(~closing)


def _snap(rings: _Rings, origin: Sequence[float], step: float) -> _Rings:
    """Round to the grid; drop repeated points, spikes, and rings that enclose nothing any more."""
    snapped = _Rings(np.rint((rings.points - np.asarray(origin)) / step), rings.size, rings.area)
    is_idle = np.ones(1, bool)
    while is_idle.any():
        after = snapped.following()
        is_idle = (snapped.points == snapped.points[after]).all(axis=1)
        # The tip of a spike: the point after it is the one before it.
        is_idle[after] |= (snapped.points == snapped.points[after[after]]).all(axis=1)
        snapped = snapped.where(~is_idle)
    x, y = snapped.points.T
    after = snapped.following()
    twice_area = np.bincount(snapped.of_point, x * y[after] - x[after] * y, minlength=len(snapped.size))
    return snapped.where((twice_area != 0)[snapped.of_point])


def _cut(rings: _Rings) -> tuple[list[Integers], list[Integers]]:
    """
    Cut rings where borders meet.

    A point where other than two edges meet is a node. Between nodes every ring follows the same points (none
    turns back: `_snap` left no spikes), so that an arc is known by its first edge, seen from either end.
    """
    points = rings.points.astype(np.int64)
    _, vertex = np.unique(points[:, 0] * (1 << 32) + points[:, 1], return_inverse=True)
    count = int(vertex.max(initial=-1)) + 1
    after = vertex[rings.following()]
    edges = np.unique(np.minimum(vertex, after) * count + np.maximum(vertex, after))
    degree = np.bincount(edges // count, minlength=count) + np.bincount(edges % count, minlength=count)
    is_node = (degree != 2)[vertex]  # noqa: PLR2004

    order = _from_a_node(rings, vertex, is_node)
    points, vertex, is_node = points[order], vertex[order], is_node[order]
    is_node[rings.start] = True
    start = np.flatnonzero(is_node)
    ring_of_arc = rings.of_point[start]
    end = np.append(start[1:], len(points))  # in a ring's last arc: the position after the ring
    last = np.where(
        end == (rings.start + rings.size)[ring_of_arc], rings.start[ring_of_arc], end % len(points)
    )
    forwards = vertex[start] * count + vertex[np.where(start + 1 == end, last, start + 1)]
    backwards = vertex[last] * count + vertex[end - 1]
    _, first_use, arc = np.unique(np.minimum(forwards, backwards), return_index=True, return_inverse=True)
    by_use = np.argsort(first_use)
    number = np.argsort(by_use)[arc]
    # An arc's direction is that of its first use.
    runs_back = forwards != forwards[first_use[arc]]
    first_use = first_use[by_use]
    arcs = [np.concatenate([points[start[i] : end[i]], points[last[i]][None]]) for i in first_use]
    signed = np.where(runs_back, ~number, number)
    per_ring = np.bincount(ring_of_arc, minlength=len(rings.size))
    return arcs, np.split(signed, np.cumsum(per_ring)[:-1])


def _from_a_node(rings: _Rings, vertex: Integers, is_node: npt.NDArray[np.bool_]) -> Integers:
    """Return the points' order in which each ring starts at a node, or else at its lowest vertex."""
    preference = np.where(is_node, -1, vertex)
    of_point = rings.of_point
    candidates = np.flatnonzero(preference == np.minimum.reduceat(preference, rings.start)[of_point])
    _, first = np.unique(of_point[candidates], return_index=True)
    shift = candidates[first] - rings.start
    place = np.arange(len(vertex)) - rings.start[of_point]
    turned = rings.start[of_point] + np.remainder(place + shift[of_point], rings.size[of_point])
    return turned.astype(np.int64)


def _differences(values: Integers) -> Integers:
    before: Integers = np.concatenate([[0], values[:-1]])
    return np.subtract(values, before)


def zigzag(values: Integers) -> Integers:
    """Map 0, -1, 1, -2, ... to 0, 1, 2, 3, ... so that small differences are small numbers."""
    return (values << 1) ^ (values >> 63)


def varints(values: Integers) -> bytes:
    """
    Write non-negative integers in base 128, low digits first, a high bit on all but the last.

    Parameters
    ----------
    values
        Integers from 0 up to 2**56, shape (n,).
    """
    rest = np.asarray(values, dtype=np.int64)
    place = np.arange(8)
    used = (rest[:, None] >> 7 * place) > 0
    used[:, 0] = True
    more = np.roll(used, -1, axis=1)
    more[:, -1] = False
    digits = ((rest[:, None] >> 7 * place) & 127) | (more << 7)
    return bytes(digits[used].astype(np.uint8))


def varint_sizes(values: Integers) -> Integers:
    """Return how many bytes `varints` writes for each value, same shape."""
    sizes: Integers = 1 + (values[..., None] >> 7 * np.arange(1, 8) > 0).sum(axis=-1)
    return sizes
