"""The results of a benchmark as tables in Markdown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cvrl_napari.config import LabeledCount
from cvrl_napari.engine.comparison import (
    METRICS,
    Table,
    check_means,
    gap_closed,
    over_seeds,
    paired_difference,
    per_case,
    table,
    undefined,
)
from cvrl_napari.engine.evaluate import Spread
from cvrl_napari.engine.results import RunResult

BASELINES = ("supervised", "mean_teacher")


class _Group(NamedTuple):
    """All runs of one method (or ablation of it) with one count of labels."""

    name: str
    labeled: LabeledCount
    results: list[RunResult]

    @property
    def dice(self) -> Table:
        return table(self.results, "dice")


def report(results: Sequence[RunResult]) -> str:
    """Return the report on runs of one setting.

    Raises
    ------
    EngineError
        If the figures contradict each other.
    """
    if not results:
        return "No run has been measured yet."
    groups = _groups(results)
    parts = [_heading(results), _overview(groups), _cases(groups), _differences(groups), _gaps(groups), _notes(groups)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _groups(results: Sequence[RunResult]) -> list[_Group]:
    """Group the runs, fewer labels first, in the order in which the methods first came."""
    groups: dict[tuple[str, LabeledCount], list[RunResult]] = {}
    for result in results:
        groups.setdefault((result.key.name, result.key.labeled), []).append(result)
    found = [_Group(name, labeled, runs) for (name, labeled), runs in groups.items()]
    return sorted(found, key=lambda group: (group.labeled == "all", 0 if group.labeled == "all" else group.labeled))


def _heading(results: Sequence[RunResult]) -> str:
    setting, first = results[0].setting, results[0]
    what = f"{setting.scale} scale" if setting.scale else f"{setting.folds} folds"
    devices = ", ".join(dict.fromkeys(f"{result.device} ({result.precision})" for result in results))
    patch = " x ".join(map(str, first.patch_size))
    spacing = " x ".join(f"{mm:g}" for mm in first.spacing)
    versions = ", ".join(f"{name} {number}" for name, number in first.versions.items())
    dates = sorted(result.date[:10] for result in results)
    return (
        f"## {setting.source}, {what}\n\n"
        f"Preset {setting.preset}, {setting.steps:,} steps, patch {patch} at {spacing} mm (z, y, x); "
        f"{devices}; {versions}; {dates[0]}" + (f" to {dates[-1]}" if dates[-1] != dates[0] else "") + ". "
        "The last student is measured. Mean over the cases, ± standard deviation over the seeds."
    )


def _overview(groups: list[_Group]) -> str:
    names = groups[0].results[0].setting.classes
    by_class = [(name, number) for number, name in enumerate(names, start=1)] if len(names) > 1 else []
    rows = []
    for group in groups:
        for label, class_id in [("mean" if by_class else names[0], None), *by_class]:
            scores = {metric: table(group.results, metric, class_id) for metric in METRICS}
            check_means(scores["dice"], scores["jaccard"], f"{group.name} with {group.labeled} labeled")
            figures = [_spread(over_seeds(scores[m]), 4 if m in ("dice", "jaccard") else 2) for m in METRICS]
            rows.append([group.name, group.labeled, label, len(scores["dice"]), *figures])
    return _markdown(["method", "labeled", "class", "seeds", "Dice", "Jaccard", "HD95 mm", "ASD mm"], rows, words=3)


def _cases(groups: list[_Group]) -> str:
    rows = []
    for group in groups:
        dice = list(per_case(group.dice).values())
        quartiles = [f"{value:.4f}" for value in np.percentile(dice, [0, 25, 50, 75, 100])]
        rates = [result.steps_per_second for result in group.results if result.steps_per_second]
        memory = max(result.peak_memory_mib for result in group.results)
        cost = [f"{np.median(rates):.2f}" if rates else "-", f"{memory:,.0f}"]
        rows.append([group.name, group.labeled, len(dice), *quartiles, *cost])
    header = ["method", "labeled", "cases", "lowest Dice", "25 %", "median", "75 %", "highest", "steps a second", "memory MiB"]
    return _markdown(header, rows, words=1)


def _differences(groups: list[_Group]) -> str:
    rows = []
    for group in groups:
        for other in groups:
            if other.name in BASELINES and other.labeled == group.labeled and other.name != group.name:
                found = paired_difference(group.dice, other.dice)
                if found is not None:
                    interval = f"{found.low:+.4f} to {found.high:+.4f}"
                    rows.append([group.name, other.name, group.labeled, found.cases, f"{found.mean:+.4f}", interval])
    return _markdown(["method", "minus", "labeled", "cases", "Dice", "95 % interval"], rows, words=2) if rows else ""


def _gaps(groups: list[_Group]) -> str:
    by_key = {(group.name, group.labeled): group for group in groups}
    upper = by_key.get(("supervised", "all"))
    rows = []
    for group in groups:
        few = by_key.get(("supervised", group.labeled))
        if upper is None or few is None or group.labeled == "all" or group.name == "supervised":
            continue
        share = gap_closed(group.dice, few.dice, upper.dice)
        rows.append([group.name, group.labeled, "no gap" if share is None else f"{share:.2f}"])
    return _markdown(["method", "labeled", "share of the gap to all labels closed"], rows, words=1) if rows else ""


def _notes(groups: list[_Group]) -> str:
    notes = []
    for group in groups:
        missing, count = undefined(table(group.results, "hd95_mm"))
        if missing:
            notes.append(f"{group.name}, {group.labeled} labeled: no distance in {missing} of {count} cases (a mask is empty).")
        notes += [f"{result.key.words()}: {why}" for result in group.results for why in result.adjustments]
        settings = ", ".join(f"{name}={value}" for name, value in group.results[0].key.overrides.items())
        if settings not in group.name:
            notes.append(f"{group.name} is {group.results[0].key.method} with {settings}.")
    return "\n".join(f"- {note}" for note in dict.fromkeys(notes))


def _markdown(header: Sequence[str], rows: Sequence[Sequence[object]], *, words: int) -> str:
    """Return a table whose first `words` columns hold words."""
    align = ["---"] * words + ["--:"] * (len(header) - words)
    lines: list[Sequence[object]] = [header, align, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _spread(one: Spread, digits: int) -> str:
    if one.mean is None:
        return "-"
    return f"{one.mean:.{digits}f}" + ("" if one.sd is None else f" ± {one.sd:.{digits}f}")
