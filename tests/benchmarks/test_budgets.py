"""The budgets of the design as assertions. Not part of the default test run: figures need a quiet machine."""

from __future__ import annotations

import pytest

from tests.benchmarks.suite import SECTIONS, measure

# Peers warn of their own deprecations, and a section may take minutes on a busy machine.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(900)]


@pytest.mark.parametrize("key", SECTIONS)
def test_budgets_of_the_design_are_met(key: str) -> None:
    (section,) = measure([key])

    missed = [
        f"{budget.name}: {budget.value.median:.3g} ({budget.value.low:.3g} to {budget.value.high:.3g}), "
        f"budget {budget.limit:g}, {budget.verdict}"
        for budget in section.budgets
        if not budget.met
    ]
    assert not missed, "\n".join([*missed, *section.notes])
