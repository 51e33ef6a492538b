"""Which slice of the case is on view, and which voxel lies under the cursor."""

import napari

from cvrl_napari.gui.case_view import nearest_voxel, plane_on_view
from cvrl_napari.gui.layers import Layers


class Pointing:
    """What the person points at. Ask only while a case is on view."""

    def __init__(self, viewer: napari.Viewer, layers: Layers) -> None:
        self._viewer, self._layers = viewer, layers

    @property
    def plane(self) -> tuple[int, int]:
        """Axis (0 = z) and index of the slice on view; in 3D the axial one."""
        assert self._layers.shown is not None
        return plane_on_view(self._viewer, self._layers.shown.image)

    @property
    def voxel(self) -> tuple[int, int, int]:
        """Index (z, y, x) of the voxel nearest to the cursor."""
        assert self._layers.shown is not None
        return nearest_voxel(self._layers.shown.image, self._viewer.cursor.position[-3:])
