"""Painting a class wherever something is true, without touching what is painted."""

import numpy as np

from cvrl_napari.gui.session import Session


def paint_where(session: Session, where: np.ndarray, class_id: int) -> int:
    """Paint a class on the case on view where `where` is true and nothing is painted yet, as one step to undo.

    Parameters
    ----------
    where : bool array of shape (z, y, x)
        On the scan's grid.
    class_id : int
        A class, or 255 for painted background.

    Returns
    -------
    int
        How many voxels changed.
    """
    labels = session.layers.labels_array()
    wanted = np.where((labels == class_id) | (where & (labels == 0)), np.uint8(class_id), np.uint8(0))
    return session.painting.bring([class_id], wanted, complete=False)
