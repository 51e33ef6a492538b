"""What is foreseen of a run in words; for the dock and the command line, without torch."""

from cvrl_napari.engine.events import Foreseen


def duration(seconds: float) -> str:
    """Return a duration as a person says it: '40 s', '6 min', '2 h 5 min'."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def in_gb(size: float) -> str:
    """Return a number of bytes as a person says it: '0.8 GB', '12 GB'."""
    return f"{size / 1e9:.1f} GB" if size < 9.95e9 else f"{size / 1e9:.0f} GB"


def outlook_line(foreseen: Foreseen, *, short: bool = False) -> str:
    """Say how long a run will take and how much memory; what no earlier run has shown is called a guess.

    With `short` neither the steps nor the kind of memory are named.
    """
    plan = foreseen.plan
    time = duration(foreseen.seconds)
    if plan.minutes is None:
        time = f"{'about' if foreseen.is_timed else 'first guess:'} {time}{'' if short else f' for {plan.steps:,} steps'}"
    memory = f"{'' if foreseen.is_weighed else 'about '}{in_gb(foreseen.memory_bytes)}"
    where = "graphics memory" if plan.device == "cuda" else "memory"
    return f"{time}, {memory}" if short else f"{time}, {memory} of {where}"


def outlook_reasons(foreseen: Foreseen) -> tuple[str, ...]:
    """Return the reasons of the plan, what a step learns from, and where the figures come from, a sentence each."""
    plan = foreseen.plan
    unlabeled = f" and {plan.unlabeled_batch} of unlabeled ones" if plan.unlabeled_batch and plan.unlabeled_cases else ""
    step = f"A step learns from {plan.labeled_batch} pieces of labeled scans{unlabeled}, in {plan.precision}."
    if plan.minutes is not None:
        source = "The time is the one asked for."
    elif foreseen.is_timed:
        source = "The time is that of an earlier training of this study; other jobs on this computer lengthen it."
    else:
        source = "The time is a guess from a measurement of a second; after a first training it is known better."
    return (*plan.reasons, step, source, *([foreseen.warning] if foreseen.warning else []))
