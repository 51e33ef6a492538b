"""The projector as plain numpy, and its output for a whole scan without ever holding it.

The projector's output has 128 channels where the low-level features have 16: kept for every voxel of a heart scan it would fill
half a gigabyte. It follows from the features in no time, so it is computed for the cells that somebody asks for.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.engine.half import as_float32

_ROWS_AT_ONCE = 1 << 16


class RowProjector(NamedTuple):
    """A projector of `nets.projector`, its batch norm folded into its first layer: y = output relu(hidden x + shift) + bias.

    Attributes
    ----------
    hidden : array of shape (C, C), float32
    shift : array of shape (C,), float32
    output : array of shape (P, C), float32
    bias : array of shape (P,), float32
    """

    hidden: NDArray[np.float32]
    shift: NDArray[np.float32]
    output: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def fits_together(self) -> bool:
        """Whether the shapes are those of one projector."""
        size, channels = self.output.shape if self.output.ndim == 2 else (0, 0)
        shapes = self.hidden.shape, self.shift.shape, self.bias.shape
        return size > 0 and shapes == ((channels, channels), (channels,), (size,))

    def activate(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the hidden layer (N, C) of features (N, C)."""
        hidden: NDArray[np.float32] = as_float32(rows) @ self.hidden.T
        hidden += self.shift
        return np.maximum(hidden, 0, out=hidden)

    def project(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the embeddings (N, P) of features (N, C), not of unit length."""
        projected: NDArray[np.float32] = self.activate(rows) @ self.output.T + self.bias
        return projected


class ProjectedFeatures:
    """What the projector makes of the features of a scan; looks like an array (Z, Y, X, P) of float32.

    Index it by cells (one, a plane, arrays of indices, a mask over the first three axes); only these are computed.
    """

    dtype = np.dtype(np.float32)
    ndim = 4

    def __init__(self, features: np.ndarray, projector: RowProjector) -> None:
        self._features = features
        self._projector = projector

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(Z, Y, X, P)."""
        z, y, x = self._features.shape[:3]
        return z, y, x, len(self._projector.bias)

    def __getitem__(self, cells: Any) -> NDArray[np.float32]:
        features = self._features[cells]
        rows = features.reshape(-1, features.shape[-1])
        return self._projector.project(rows).reshape(*features.shape[:-1], -1)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[...].astype(dtype or self.dtype, copy=False)

    def products(self, query: NDArray[np.float32], cells: Any = ...) -> NDArray[np.float32]:
        """Return the inner product of each cell's embedding with `query` (P,), by way of the hidden layer."""
        towards = self._projector.output.T @ query  # (C,)
        return self._by_rows(cells, lambda hidden: hidden @ towards + self._projector.bias @ query)

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Length of each cell's embedding, (Z, Y, X)."""
        output, bias = self._projector.output, self._projector.bias
        gram, cross = output.T @ output, 2 * output.T @ bias  # |W h + b|^2 = h' W'W h + 2 b'W h + b'b
        squares = self._by_rows(..., lambda hidden: np.einsum("nc,nc->n", hidden @ gram + cross, hidden) + bias @ bias)
        lengths: NDArray[np.float32] = np.sqrt(np.maximum(squares, 0))
        return lengths

    def _by_rows(self, cells: Any, compute: Any) -> NDArray[np.float32]:
        features = self._features[cells]
        rows = features.reshape(-1, features.shape[-1])
        found = np.empty(len(rows), np.float32)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            found[part] = compute(self._projector.activate(rows[part]))
        return found.reshape(features.shape[:-1])
