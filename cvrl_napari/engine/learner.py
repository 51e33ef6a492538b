"""One training step, made whole or not at all, and everything it changes."""

import math
from typing import Any

import torch

from cvrl_napari.config import OptimizerConfig, Plan
from cvrl_napari.engine.run_cases import RunCases
from cvrl_napari.engine.schedule import Clock, learning_rate
from cvrl_napari.engine.steering import Steering
from cvrl_napari.methods.build import build_method
from cvrl_napari.methods.method import Method

GRADIENT_CLIP = 12.0
"""Largest norm of the gradient; only a step gone wrong is ever longer."""


class NotFiniteError(Exception):
    """The loss of a step, or its gradient, is no longer a number; the weights are as they were before it."""


class Learner:
    """The method of a run, its optimizer, and how a step is made.

    Attributes
    ----------
    method : Method
        On the device of the plan.
    rewinds : int
        How often the learning rate was halved.
    """

    def __init__(self, plan: Plan, clock: Clock, steering: Steering) -> None:
        self._clock, self._steering = clock, steering
        self.rewinds = 0
        self.build(plan)

    def build(self, plan: Plan) -> None:
        """Begin anew: weights drawn from the plan's seed."""
        torch.manual_seed(plan.seed)  # initial weights and dropout
        self.follow(plan)
        self.method: Method = build_method(plan).to(self._device)
        self._optimizer = _optimizer(plan.optimizer, self.method)
        self._steering.watch(self.method)

    def follow(self, plan: Plan) -> None:
        """Go on by this plan, which differs from the former one in what a step costs alone."""
        self._plan = plan
        self._device = torch.device(plan.device)

    def step(self, cases: RunCases, *, with_unlabeled: bool) -> dict[str, float]:
        """Make the next step, and let the clock count it.

        Returns
        -------
        dict of str to float
            The unweighted terms of the loss by name, and 'total'.

        Raises
        ------
        NotFiniteError
            If the loss or its gradient is no number. The next batch is then another one.
        Interrupted, RuntimeError, MemoryError
            If it was interrupted, or something failed: everything, the loader included, is then as it was before.
        """
        before, batches, time = self._undoable(), cases.loader.state_dict(), self._clock.state_dict()
        try:
            with self._clock:
                values = self._step(cases, with_unlabeled=with_unlabeled)
                self._clock.step += 1
        except NotFiniteError:
            raise
        except Exception:
            self._undo(before)
            cases.loader.load_state_dict(batches)
            self._clock.load_state_dict(time)
            raise
        return values

    def _step(self, cases: RunCases, *, with_unlabeled: bool) -> dict[str, float]:
        plan, device = self._plan, self._device
        rate = learning_rate(plan.optimizer, self._clock.progress) * 0.5**self.rewinds
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        parts = cases.loader.next(with_unlabeled=with_unlabeled).split(plan.micro_batches)
        cases.make_next_batch(with_unlabeled=with_unlabeled)
        self.method.train()
        self._optimizer.zero_grad(set_to_none=True)
        values: dict[str, float] = {}
        for part in parts:
            with torch.autocast(device.type, dtype=getattr(torch, plan.precision), enabled=plan.precision != "float32"):
                losses = self.method.losses(part.to(device), self._clock.progress)
            torch.autograd.backward(losses["total"] / len(parts))
            for name, value in losses.items():
                values[name] = values.get(name, 0.0) + float(value.detach()) / len(parts)
        length = torch.nn.utils.clip_grad_norm_(_trained(self.method), GRADIENT_CLIP)
        if not (math.isfinite(values["total"]) and math.isfinite(float(length))):
            raise NotFiniteError
        self._optimizer.step()
        self.method.after_step(self._clock.step)
        return values

    def _undoable(self) -> dict[str, Any]:
        """Return what a step changes before the optimizer's turn, from which on nothing interrupts it."""
        return {
            "buffers": [buffer.clone() for buffer in self.method.buffers()],
            "generator": self.method.get_extra_state(),
        }

    @torch.no_grad()
    def _undo(self, before: dict[str, Any]) -> None:
        self._optimizer.zero_grad(set_to_none=True)  # the memory too, where that ran out
        for buffer, kept in zip(self.method.buffers(), before["buffers"], strict=True):
            buffer.copy_(kept)
        self.method.set_extra_state(before["generator"])

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {
            "method": self.method.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "rewinds": self.rewinds,
            "generator": torch.get_rng_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.rewinds = int(state.get("rewinds", 0))
        self.method.load_state_dict(state["method"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["generator"])


def _trained(method: Method) -> list[torch.nn.Parameter]:
    return [parameter for parameter in method.parameters() if parameter.requires_grad]


def _optimizer(config: OptimizerConfig, method: Method) -> torch.optim.Optimizer:
    parameters = _trained(method)
    if config.name == "sgd":
        return torch.optim.SGD(
            parameters, lr=config.learning_rate, momentum=config.sgd_momentum, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
