"""How fast the unsupervised terms come in: r(s) = exp(-5 (1 - s / S)^2), Laine and Aila, 2017."""

import math


def ramp_up(progress: float, *, warm_up: float = 0.0, length: float = 1.0) -> float:
    """Return the share of full weight, in [0, 1].

    Parameters
    ----------
    progress : float
        Share of the run that is done, in [0, 1].
    warm_up : float
        Share of the run before which the answer is 0.
    length : float
        Share of the run over which the weight grows from exp(-5) to 1, cut so that it is 1 at the end of the run.
    """
    if progress < warm_up:
        return 0.0
    length = min(length, 1 - warm_up)
    p = min((progress - warm_up) / length, 1.0)
    return math.exp(-5 * (1 - p) ** 2)
