"""Points drawn into a picture by numpy: a hundred thousand in a few milliseconds, which Qt cannot do. No Qt."""

import numpy as np


def draw_points(
    points: np.ndarray,
    colors: np.ndarray,
    view: tuple[float, float, float, float],
    size: tuple[int, int],
    *,
    diameter: int,
) -> np.ndarray:
    """Draw points as small squares; later points cover earlier ones.

    Parameters
    ----------
    points : float array of shape (N, 2)
        x to the right, y upwards.
    colors : uint32 array of shape (N,)
        0xAARRGGBB.
    view : tuple
        (left, bottom, width, height) of what the picture shows, in the points' units.
    size : tuple
        Width and height of the picture in pixels.
    diameter : int
        Side of a square in pixels.

    Returns
    -------
    uint32 array of shape (height, width)
        0xAARRGGBB, 0 where there is no point; the first row is the top.
    """
    left, bottom, across, up = view
    width, height = size
    # A margin all round takes the squares that stick out.
    margin = diameter
    wide = width + 2 * margin
    picture = np.zeros((height + 2 * margin, wide), np.uint32)
    columns = (points[:, 0] - left) * (width / across)
    rows = (bottom + up - points[:, 1]) * (height / up)
    seen = np.flatnonzero((columns >= 0) & (columns < width) & (rows >= 0) & (rows < height))
    corner = (rows[seen].astype(np.int64) + margin - diameter // 2) * wide + columns[seen].astype(np.int64) + margin
    corner -= diameter // 2
    flat, drawn = picture.reshape(-1), colors[seen]
    for down in range(diameter):
        for right in range(diameter):
            flat[corner + (down * wide + right)] = drawn
    return np.ascontiguousarray(picture[margin : margin + height, margin : margin + width])


def dim(colors: np.ndarray, towards: int, share: float) -> np.ndarray:
    """Mix colors, uint32 0xAARRGGBB, with another one: `share` 1 is that other one alone."""
    parts = colors[..., None] >> np.array([24, 16, 8, 0], np.uint32) & 255
    other = np.array([towards >> shift & 255 for shift in (24, 16, 8, 0)])
    mixed = np.rint(parts * (1 - share) + other * share).astype(np.uint32)
    result: np.ndarray = mixed @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32)
    return result


def argb(color: str) -> int:
    """Return '#rrggbb' as opaque 0xAARRGGBB."""
    return 0xFF000000 | int(color.removeprefix("#"), 16)
