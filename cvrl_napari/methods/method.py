"""What every method is: a student, terms of a loss, and randomness of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from cvrl_napari.config import Plan
from cvrl_napari.data.batch import Batch
from cvrl_napari.losses.ramp_up import ramp_up
from cvrl_napari.losses.supervised import supervised_loss
from cvrl_napari.nets.build import build_net


class Method(torch.nn.Module):
    """One way to learn from labeled and unlabeled patches.

    Subclasses say in `terms` what the loss consists of. All that a next step depends on is in the `state_dict`: weights,
    queues, and the state of the generator from which every random choice of a step follows, dropout included. What is to
    be optimised are the parameters that require a gradient.

    Attributes
    ----------
    student : Net
        The network that is trained and, alone, used afterwards.
    weights : dict of str to float
        What each unsupervised term counts at full ramp-up. A term of weight 0 is not computed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.student = build_net(plan.net)
        self.weights: dict[str, float] = {}
        self.generator = torch.Generator().manual_seed(plan.seed)

    def terms(self, batch: Batch, *, unsupervised: bool) -> dict[str, Tensor]:
        """Return the unweighted terms by name, 'supervised' among them; without `unsupervised` that one alone."""
        raise NotImplementedError

    def losses(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the unweighted terms by name and their weighted sum 'total' (equation (f)).

        L = L_sup + r(progress) sum_i w_i L_i

        Parameters
        ----------
        batch : Batch
            On the device of the method.
        progress : float
            Share of the run that is done, in [0, 1].
        """
        ramp = ramp_up(progress, warm_up=self.plan.warm_up, length=self.plan.ramp_up)
        with self._own_randomness(batch.student_images.device):
            terms = self.terms(batch, unsupervised=ramp > 0)
        total = terms["supervised"]
        for name, term in terms.items():
            if name != "supervised":
                total = total + ramp * self.weights[name] * term
        return {**terms, "total": total}

    def supervised_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the supervised term from a look at the labeled patches alone."""
        output = self.student(batch.student_images[: len(batch.labels)])
        return {"supervised": supervised_loss(output.logits, batch.labels)}

    def after_step(self, step: int) -> None:
        """Do what follows the `step`-th update of the student, counted from 1."""

    @contextmanager
    def _own_randomness(self, device: torch.device) -> Iterator[None]:
        """Inside, torch's global generators follow one number drawn from ours; outside, nobody notices."""
        seed = int(torch.randint(2**62, (), generator=self.generator))
        devices = [] if device.type == "cpu" else [device]
        with torch.random.fork_rng(devices, device_type="cuda" if device.type == "cpu" else device.type):
            torch.manual_seed(seed)
            yield

    def get_extra_state(self) -> Tensor:
        """Return the generator's state for the `state_dict`."""
        return self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Put the generator back to where it was."""
        self.generator.set_state(state.cpu())
