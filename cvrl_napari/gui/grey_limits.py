"""The grey values between which a scan is shown. No Qt, no napari."""

import numpy as np


def grey_limits(array: np.ndarray) -> tuple[float, float]:
    """Return grey values between which a scan is shown: the 0.5th and 99.5th percentile of a sample of its voxels."""
    stride = max(1, round((array.size / 500_000) ** (1 / 3)))
    low, high = np.percentile(array[::stride, ::stride, ::stride], (0.5, 99.5))
    if low == high:
        low, high = float(array.min()), float(array.max())
    return float(low), float(high) if high > low else float(low) + 1.0
