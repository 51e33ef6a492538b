"""Between a mask and closed contours, in one plane: what is drawn around a mask encloses the centres of exactly its pixels."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_CHANNEL = 0.25  # how far beside a column of centres a channel runs
_SNAP_DECIMALS = 3
_ON_LINE = 1e-6


def outlines(mask: Mask) -> list[Points]:
    """Return a closed contour around every connected piece of a mask, half way between the pixels inside and outside.

    Pixels that touch at a corner only are pieces of their own. A hole is joined to its outline by a channel without width
    (DICOM's keyhole, PS3.3 C.8.8.6.3), which passes through no centre of a pixel: so a contour means the same to programs
    that fill by parity, by winding, or one contour at a time.

    Parameters
    ----------
    mask : array of shape (rows, columns)

    Returns
    -------
    list of arrays of shape (N, 2)
        Corners (row, column), centres of pixels at whole numbers; the last corner is joined to the first.
    """
    from scipy import ndimage
    from skimage.measure import find_contours

    pieces, _ = ndimage.label(mask)
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(pieces), start=1):
        piece = np.pad(pieces[rows, columns] == number, 1)  # the frame closes contours that touch the border
        rings = [ring[:-1] for ring in find_contours(piece.astype(np.float64), 0.5)]
        rings.sort(key=lambda ring: float(ring[:, 0].min()))
        outline = rings[0]  # what encloses all others begins above them
        for hole in rings[1:]:
            outline = _join(outline, hole)
        found.append(_without_straight_corners(outline) + np.array((rows.start - 1, columns.start - 1)))
    return found


def _join(outline: Points, hole: Points) -> Points:
    """Return the outline with a channel to a hole below it; holes that begin higher must have been joined before.

    From the highest corner of the hole, (r + 1/2, c), the pixels above in its column c are inside, up to the next corner
    of the outline in that column. The channel runs beside that column, between the edges that leave both to the right.
    """
    top = int(hole[:, 0].argmin())
    row, column = hole[top]
    above = np.flatnonzero((outline[:, 1] == column) & (outline[:, 0] < row))
    end = int(above[outline[above, 0].argmax()])
    hole, hole_gate = _gate(hole, top)
    outline, outline_gate = _gate(outline, end)
    around = np.roll(hole, -hole_gate, axis=0)
    return np.concatenate(
        [outline[: outline_gate + 1], around, around[:1], outline[outline_gate : outline_gate + 1], outline[outline_gate + 1 :]]
    )


def _gate(ring: Points, corner: int) -> tuple[Points, int]:
    """Return the ring with one more corner, a quarter to the right of `corner`, and where in the ring it is."""
    following = (corner + 1) % len(ring)
    ahead = ring[following][1] > ring[corner][1]
    neighbor = ring[following] if ahead else ring[corner - 1]
    step = neighbor - ring[corner]
    point = ring[corner] + step * (_CHANNEL / step[1])
    at = corner + 1 if ahead else corner
    return np.insert(ring, at, point, axis=0), at


def _without_straight_corners(ring: Points) -> Points:
    before = ring - np.roll(ring, 1, axis=0)
    after = np.roll(ring, -1, axis=0) - ring
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]  # exact: all are multiples of 1/8
    goes_on = (before * after).sum(axis=1) > 0
    corners: Points = ring[(turn != 0) | ~goes_on]
    return corners


def filled(contours: Iterable[Points], shape: tuple[int, int]) -> Mask:
    """Return the pixels whose centres are enclosed by an odd number of closed contours, or lie on one of them.

    Centres on a line count as inside because programs that draw through the outermost pixels of a mask mean these too.
    Corners are taken to a thousandth of a pixel, which is more than files hold.

    Parameters
    ----------
    contours
        Arrays of shape (N, 2), corners (row, column); the last corner is joined to the first.
    shape
        Rows and columns.

    Returns
    -------
    array of shape (rows, columns)
    """
    rows, columns = shape
    crossings = np.zeros((rows, columns + 1), np.uint8)  # lines between a centre and the one before it, modulo 256
    on_line = np.zeros(shape, np.bool_)
    for corners in contours:
        start = np.round(corners, _SNAP_DECIMALS)
        end = np.roll(start, -1, axis=0)
        is_flat = start[:, 0] == end[:, 0]
        _mark_flat(on_line, start[is_flat], end[is_flat])
        _mark_centres(on_line, start[:, 0], start[:, 1])
        row, column = _crossed(start[~is_flat], end[~is_flat], rows)
        _mark_centres(on_line, row, column)
        np.add.at(crossings, (row, np.clip(np.ceil(column), 0, columns).astype(int)), 1)
    inside: Mask = np.cumsum(crossings, axis=1, dtype=np.uint8)[:, :columns] % 2 == 1
    return inside | on_line


def _crossed(start: Points, end: Points, rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the rows that lines cross, and at which column each; a row through a corner is crossed once."""
    swap = start[:, :1] > end[:, :1]  # a line gives the same columns whichever way it runs
    top, bottom = np.where(swap, end, start), np.where(swap, start, end)
    first, stop = (np.clip(np.ceil(ends[:, 0]), 0, rows).astype(int) for ends in (top, bottom))
    count = stop - first
    line = np.repeat(np.arange(len(top)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[line]
    slope = (bottom[:, 1] - top[:, 1]) / (bottom[:, 0] - top[:, 0])
    return row, top[line, 1] + (row - top[line, 0]) * slope[line]


def _mark_centres(on_line: Mask, row: npt.NDArray[Any], column: npt.NDArray[Any]) -> None:
    """Mark the pixels whose centres these points are."""
    r, c = np.rint(row), np.rint(column)
    at = (np.abs(row - r) < _ON_LINE) & (np.abs(column - c) < _ON_LINE)
    at &= (r >= 0) & (r < on_line.shape[0]) & (c >= 0) & (c < on_line.shape[1])
    on_line[r[at].astype(int), c[at].astype(int)] = True


def _mark_flat(on_line: Mask, start: Points, end: Points) -> None:
    """Mark the pixels whose centres lie on lines along a row."""
    rows, columns = on_line.shape
    for (row, one), (_, other) in zip(start, end, strict=True):
        if row == np.rint(row) and 0 <= row < rows:
            left, right = np.clip((np.ceil(min(one, other)), np.floor(max(one, other)) + 1), 0, columns).astype(int)
            on_line[int(row), left:right] = True
