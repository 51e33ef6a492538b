"""A form shows what config.py says and reads back into the same settings."""

from typing import get_args

import pytest

from cvrl_napari.config import ContrastConfig, MethodName, TrainRequest
from cvrl_napari.gui.forms import form_of, read_form

pytestmark = pytest.mark.gui
NAMES = ("method", "preset", "device", "steps", "minutes", "seed")


def test_an_untouched_form_is_the_default_request(qapp):
    assert read_form(form_of(TrainRequest, NAMES), TrainRequest) == TrainRequest()


def test_values_travel_through_the_form(qapp):
    form = form_of(TrainRequest, NAMES)
    form["method"].value, form["steps"].value, form["minutes"].value = "supervised", 250, 1.5
    assert read_form(form, TrainRequest) == TrainRequest(method="supervised", steps=250, minutes=1.5)


def test_choices_ranges_and_tooltips_are_those_of_the_field(qapp):
    form = form_of(TrainRequest, NAMES)
    assert tuple(form["method"].choices) == get_args(MethodName)
    assert form["seed"].max == 2**31 - 1
    assert form["steps"].tooltip == TrainRequest.model_fields["steps"].description


def test_booleans_and_bounded_numbers(qapp):
    form = form_of(ContrastConfig, ("low_level", "temperature"))
    assert form["low_level"].value is True
    assert form["temperature"].max == 1
    assert read_form(form, ContrastConfig) == ContrastConfig()
