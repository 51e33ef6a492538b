"""A picture of features: their principal components as colors in a slice, and as a scatter of voxels."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np

HEIGHT = 512  # pixels, of both halves
BACKGROUND_GREY = 128
_SPREAD = (1, 99)  # percentiles that fill the range: a few odd voxels do not make the rest pale


def draw_features(
    slice_map: np.ndarray, rows: np.ndarray, labels: np.ndarray, colors: dict[int, str], pixel_mm: Sequence[float]
) -> bytes:
    """Draw a slice and a scatter side by side.

    Parameters
    ----------
    slice_map : array of shape (C, y, x)
        Features of a slice; their first three components become red, green and blue.
    rows : array of shape (N, C)
        Features of the drawn voxels, from which the components are found; the first two become right and up.
    labels : array of shape (N,)
        Classes of the drawn voxels.
    colors : dict
        '#rrggbb' by class; other labels are grey.
    pixel_mm : sequence of float
        Size (y, x) of a pixel of the slice.

    Returns
    -------
    bytes
        A PNG file.
    """
    from PIL import Image
    from sklearn.decomposition import PCA

    channels, height, width = slice_map.shape
    pca = PCA(n_components=min(3, channels, len(rows)), random_state=0).fit(rows)
    flat = _to_unit(pca.transform(slice_map.reshape(channels, -1).T))
    flat = np.pad(flat, ((0, 0), (0, 3 - flat.shape[1])))
    picture = Image.fromarray(np.uint8(255 * flat.reshape(height, width, 3)))
    ratio = width * pixel_mm[1] / (height * pixel_mm[0])
    picture = picture.resize((max(1, round(HEIGHT * ratio)), HEIGHT), Image.Resampling.NEAREST)
    scatter = Image.fromarray(_scatter(pca.transform(rows)[:, :2], labels, colors))
    both = Image.new("RGB", (picture.width + scatter.width, HEIGHT))
    both.paste(picture, (0, 0))
    both.paste(scatter, (picture.width, 0))
    file = BytesIO()
    both.save(file, format="PNG")
    return file.getvalue()


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Bring each column to [0, 1]."""
    low, high = np.percentile(values, _SPREAD, axis=0)
    unit: np.ndarray = np.clip((values - low) / np.maximum(high - low, 1e-6), 0, 1)
    return unit


def _scatter(points: np.ndarray, labels: np.ndarray, colors: dict[int, str]) -> np.ndarray:
    """Return (HEIGHT, HEIGHT, 3) uint8, a dot of 2 x 2 pixels a point, white where there is none."""
    canvas = np.full((HEIGHT, HEIGHT, 3), 255, np.uint8)
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    columns, heights = (_to_unit(points) * (HEIGHT - 20) + 9).astype(int).T
    palette = np.full((256, 3), BACKGROUND_GREY, np.uint8)
    for class_id, color in colors.items():
        palette[class_id] = tuple(bytes.fromhex(color.removeprefix("#")))
    for down, right in np.ndindex(2, 2):
        canvas[HEIGHT - 1 - heights + down, columns + right] = palette[labels]
    return canvas
