"""Replay recordings of real events (`Recorder`) in tests, against the current code.

def test_recordings():
    replayed(resolver, "tests/recordings", ignore=["body.id"]).check()

@pytest.mark.parametrize("recording", recordings("tests/recordings"), ids=str)
def test_recording(recording):
    replayed(resolver, recording).check()
"""

from router.middleware.recording.form import Recording, RecordingError
from router.testing.replay.network import NetworkRefused, no_network
from router.testing.replay.running import Outcome, Replay, recordings, replayed

__all__ = [
    "NetworkRefused",
    "Outcome",
    "Recording",
    "RecordingError",
    "Replay",
    "no_network",
    "recordings",
    "replayed",
]
