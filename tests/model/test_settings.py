from __future__ import annotations

import pytest

from matvae.errors import InputError
from matvae.model import TrainingSettings


def test_training_without_a_limit_is_refused():
    with pytest.raises(InputError, match="requires max_epochs or max_time, but both are None"):
        TrainingSettings(max_epochs=None)
    assert TrainingSettings(max_epochs=None, max_time=3.0).max_time == 3.0


def test_defaults_are_those_of_the_paper_where_it_states_them():
    settings = TrainingSettings()
    assert (settings.alpha, settings.loss) == (1.0, "relative")
    assert settings.max_epochs == 100
