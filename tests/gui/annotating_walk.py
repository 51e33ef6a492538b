"""The whole walk of the person who annotates, from an empty viewer to three labeled scans."""

from .annotating_by_hand import grow_and_import, make_the_study, paint_and_interpolate
from .annotating_masks import find_all_of_it_again, take_the_mask_over
from .annotator import Annotator, next_case


def walk(person: Annotator) -> None:
    """Take all steps; the person stands in front of an empty viewer."""
    person.look("01-empty")
    make_the_study(person)
    painted = [paint_and_interpolate(person)]
    next_case(person)
    painted.append(grow_and_import(person))
    next_case(person)
    painted.append(take_the_mask_over(person))
    find_all_of_it_again(person, painted)
