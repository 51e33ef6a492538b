"""Labels alone: the baseline that the other methods have to beat."""

from torch import Tensor

from cvrl_napari.data.batch import Batch
from cvrl_napari.methods.method import Method


class Supervised(Method):
    """Learn from the labeled patches; the unlabeled ones are not looked at."""

    def terms(self, batch: Batch, *, unsupervised: bool) -> dict[str, Tensor]:
        """Return the supervised term."""
        return self.supervised_terms(batch)
