"""How well a similarity map finds the structure that a voxel lies in, for each kind of features.

    python tests/benchmarks/bench_similarity.py MODEL STUDY [--voxels 50] [--seed 0]

STUDY has complete cases of one class that the model has not learned from; their features are computed into its cache if
they are not there. Random voxels of the structure, evenly over the cases, are looked for in their own scan and in the next
one. The figure is the Dice of the map at its best threshold, on the low-level cells; a coarser map is interpolated.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.embedding_cache import CaseEmbeddings, load_embeddings
from cvrl_napari.engine.events import CaseEmbedded
from cvrl_napari.engine.similarity import find_similar, query_of, similarity_map, to_scan_grid
from cvrl_napari.study.study import Study

FIXED = 0.7


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--voxels", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    study = Study.open(asked.study, read_only=True)
    ids = [case.id for case in study.cases if case.is_labeled]
    for event in embed_cases(study, asked.model, ids, threads=1):
        if isinstance(event, CaseEmbedded):
            print(event.case, flush=True)
    cases = [{level: load_embeddings(study, asked.model, name, level) for level in ("low", "high")} for name in ids]
    truths = [study.read_labels(name) == 1 for name in ids]
    masks = [truth[np.ix_(*middles_of(case["low"]))] for truth, case in zip(truths, cases, strict=True)]
    rng = np.random.default_rng(asked.seed)
    dice: dict[str, list[float]] = defaultdict(list)
    for number, case in enumerate(cases):
        predicted = case["low"].predicted == 1
        dice["(the model's own mask)"].append(2 * (predicted & masks[number]).sum() / (predicted.sum() + masks[number].sum()))
        inside = np.argwhere(truths[number])
        other = (number + 1) % len(cases)
        for voxel in inside[rng.choice(len(inside), asked.voxels // len(cases), replace=False)]:
            for name, found in maps_of(case, case, voxel):
                dice[name].append(best_dice(found, masks[number]))
                dice[f"{name}, at {FIXED}"].append(dice_at(found, masks[number]))
            for name, found in maps_of(case, cases[other], voxel):
                dice[f"{name}, in another scan"].append(best_dice(found, masks[other]))
    print(f"| {'map':66s} | Dice  | median | lowest |")
    for name, values in dice.items():
        print(f"| {name:66s} | {np.mean(values):.3f} | {np.median(values):.3f}  | {np.min(values):.3f}  |")


def middles_of(one: CaseEmbeddings) -> list[np.ndarray]:
    """Voxels of the scan, along each axis, in which the middles of the cells lie."""
    longest = max(one.shape)
    cells = np.stack([np.resize(np.arange(side), longest) for side in one.shape], axis=1)
    voxels = one.voxel_of(cells)
    return [voxels[:side, axis] for axis, side in enumerate(one.shape)]


def maps_of(case: dict[str, CaseEmbeddings], target: dict[str, CaseEmbeddings], voxel: np.ndarray):
    """Yield the maps of a voxel of one case in another, on the low-level cells of that."""
    low, high = case["low"], case["high"]
    cell, coarse = low.cell_of(voxel), high.cell_of(voxel)
    on_low = {
        "low features": similarity_map(target["low"], low.features[tuple(cell)]),
        "low, from the scan's mean, smoothed (the tool)": find_similar(target["low"], query_of(low, cell[None])),
    }
    on_high = {
        "high features": similarity_map(target["high"], high.features[tuple(coarse)]),
        "high, from the scan's mean": find_similar(target["high"], query_of(high, coarse[None])),
    }
    if low.projected is not None and high.projected is not None:
        on_low["low, projected"] = similarity_map(target["low"], low.projected[tuple(cell)], projected=True)
        on_high["high, projected"] = similarity_map(target["high"], high.projected[tuple(coarse)], projected=True)
    where = np.ix_(*middles_of(target["low"]))
    for name, found in on_high.items():
        on_low[name] = to_scan_grid(found, target["high"], target["high"].scan_shape, linear=True)[where]
    tool = on_low["low, from the scan's mean, smoothed (the tool)"]
    on_low["the tool's and high, from the scan's mean, together"] = (tool + on_low["high, from the scan's mean"]) / 2
    yield from on_low.items()


def best_dice(found: np.ndarray, mask: np.ndarray) -> float:
    """Dice at the best of 400 thresholds."""
    edges = np.linspace(found.min(), found.max() + 1e-6, 401)
    inside, outside = (np.histogram(found[where], edges)[0][::-1].cumsum() for where in (mask, ~mask))
    return float((2 * inside / (inside + outside + mask.sum())).max())


def dice_at(found: np.ndarray, mask: np.ndarray) -> float:
    """Dice at one threshold for all."""
    chosen = found > FIXED
    return float(2 * (chosen & mask).sum() / (chosen.sum() + mask.sum()))


if __name__ == "__main__":
    main()
