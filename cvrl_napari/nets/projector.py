"""The projector: from the features of a voxel to its embedding."""

from torch import Tensor, nn


class Projector(nn.Module):
    """A per-voxel MLP, C_in -> C_in -> E, with batch norm over the rows and ReLU in between.

    It works on rows, so that only the voxels drawn for the contrast are ever projected, never a dense map.

    Parameters
    ----------
    in_channels : int
        Channels of the tapped features.
    embedding_size : int
        Channels of the embeddings.
    """

    def __init__(self, in_channels: int, embedding_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(in_channels, in_channels, bias=False)  # the norm has the bias
        self.norm = nn.BatchNorm1d(in_channels)
        self.activation = nn.ReLU(inplace=True)
        self.output = nn.Linear(in_channels, embedding_size)

    def forward(self, rows: Tensor) -> Tensor:
        """Embed `rows` of shape (N, C_in), N at least 2 in training; returns (N, E), not of unit length."""
        embeddings: Tensor = self.output(self.activation(self.norm(self.hidden(rows))))
        return embeddings
