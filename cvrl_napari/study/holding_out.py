"""Which cases could be held out for measuring, once there are labels enough to do without them."""

from cvrl_napari.study.study import Study

ENOUGH = 6
"""Complete cases that are learned from, before any of them is worth more as a measure."""
PROPOSED = 2


def cases_to_hold_out(study: Study, *, but: str = "") -> tuple[str, ...]:
    """Return the cases to propose; none while there are too few, or once a case is held out.

    They are spread evenly over the study, so that they are neither the first nor the last ones painted; nobody has chosen
    them for being easy.

    Parameters
    ----------
    but : str
        A case not to take: the one on view.
    """
    complete = [case.id for case in study.cases if case.state in ("complete", "accepted") and not case.held_out]
    if len(complete) < ENOUGH or any(case.held_out for case in study.cases):
        return ()
    free = [case for case in complete if case != but]
    return tuple(free[len(free) * number // (PROPOSED + 1)] for number in range(1, PROPOSED + 1))
