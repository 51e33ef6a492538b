"""From a plan to the method that carries it out."""

import torch

from cvrl_napari.config import Plan
from cvrl_napari.methods.cvrl import CVRL
from cvrl_napari.methods.mean_teacher import MeanTeacher
from cvrl_napari.methods.method import Method
from cvrl_napari.methods.supervised import Supervised

METHODS: dict[str, type[Method]] = {"cvrl": CVRL, "mean_teacher": MeanTeacher, "supervised": Supervised}


def build_method(plan: Plan) -> Method:
    """Return the method of `plan` on the CPU, its weights drawn from `plan.seed`; the same student for every method."""
    with torch.random.fork_rng([]):
        torch.manual_seed(plan.seed)
        return METHODS[plan.method](plan)
