"""Paint a few scans, train on all of them: semi-supervised 3D segmentation in napari."""

__version__ = "0.1.0"
