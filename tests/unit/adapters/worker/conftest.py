"""A worker in a simulation, for each test that asks for one."""

from __future__ import annotations

import random

import pytest

from tests.unit.adapters.worker.simulation import Simulation
from tests.unit.adapters.worker.virtual import watch_handling


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch):
    watch_handling(monkeypatch)
    random.seed(7)
    simulation = Simulation()
    monkeypatch.setattr("adapters.worker.queue.time", lambda: simulation.sqs.epoch + simulation.loop.time())
    yield simulation
    simulation.close()
