"""Which runs a benchmark makes, and the plan of each."""

import itertools
from collections.abc import Sequence

from cvrl_napari.config import BenchmarkRequest, LabeledCount, Plan, TrainRequest, Triple
from cvrl_napari.engine.benchmark_material import Material
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.overrides import Overrides, override
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.protocols import Scale
from cvrl_napari.engine.results import RunKey


def list_runs(
    material: Material, request: BenchmarkRequest, labeled: Sequence[LabeledCount], overrides: Overrides, name: str = ""
) -> list[RunKey]:
    """Return the runs that are asked for, those that are compared with each other next to each other.

    Where all labels leave no scan to learn from without its label, methods that need one are left out.

    Parameters
    ----------
    name : str
        What the runs are called in tables, for a single method; empty takes the method and its overrides.

    Raises
    ------
    EngineError
        If there are fewer labeled cases than asked for, or a name is given to several methods or is that of a method.
    """
    if name and (len(request.methods) > 1 or name in ("supervised", "mean_teacher", "cvrl")):
        raise EngineError(f"The name '{name}' cannot be told from others.", "Give one --methods and a --name of its own.")
    changes = ", ".join(f"{setting}={value}" for setting, value in overrides.items())
    runs = []
    for seed, (fold, division), count in itertools.product(request.seeds, enumerate(material.divisions), labeled):
        if count != "all" and count > len(division.labeled):
            raise EngineError(f"{count} labeled scans were asked for, but there are {len(division.labeled)}.", "Ask for fewer.")
        none_unlabeled = not division.others and not division.always_labeled and count in ("all", len(division.labeled))
        for method in request.methods:
            if method == "supervised" or not none_unlabeled:
                called = name or (f"{method}, {changes}" if changes else method)
                runs.append(RunKey(name=called, method=method, labeled=count, seed=seed, fold=fold, overrides=overrides))
    return [run for number, run in enumerate(runs) if run not in runs[:number]]


def plan_run(material: Material, key: RunKey, request: BenchmarkRequest) -> Plan:
    """Return the plan of a run: the preset's, at the benchmark's voxel size, on the cases of the run's division.

    Raises
    ------
    EngineError
        If an override is not possible.
    """
    division = material.divisions[key.fold]
    labeled = division.labeled if key.labeled == "all" else division.labeled[: key.labeled]
    asked = TrainRequest(
        method=key.method,
        preset=request.preset,
        device=request.device,
        steps=request.steps,
        seed=key.seed,
        threads=request.threads,
        labeled=(*labeled, *division.always_labeled),
    )
    plan = resolve(material.study, asked, pick(request.device))
    scale = material.scale or _common_scale(material, asked)
    stride = 2 ** (plan.net.levels - 1)
    z, y, x = (-(-side // stride) * stride for side in scale.patch_size)
    learned = (*division.labeled, *division.others, *division.always_labeled)
    changes = {
        "spacing": scale.spacing,
        "patch_size": (z, y, x),
        "unlabeled_cases": tuple(case for case in learned if case not in plan.labeled_cases),
        "held_out_cases": (),  # nothing is measured before the end, so that nothing can be chosen by it
        "reasons": (f"One run of a benchmark: {key.words()}.",),
    }
    changed = override(plan.model_copy(update=changes), key.overrides)
    stride = 2 ** (changed.net.levels - 1)
    if any(side % stride for side in changed.patch_size):
        raise EngineError(f"A patch of {changed.patch_size} does not fit the network.", f"Take multiples of {stride}.")
    return changed


def _common_scale(material: Material, asked: TrainRequest) -> Scale:
    """Return the voxel size and patch that all runs on a study share: those for all its labeled cases."""
    plan = resolve(material.study, asked.model_copy(update={"labeled": ()}), pick(asked.device))
    return Scale(spacing=plan.spacing, patch_size=_triple(plan.patch_size))


def _triple(sides: Sequence[int]) -> Triple:
    z, y, x = sides
    return z, y, x
