"""scikit-learn's callbacks, which exist from version 1.9 on; earlier versions have no `set_callbacks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks."""

    def with_callbacks(method: Method) -> Method:
        """Leave the method as it is."""
        return method


class EpochTasks:
    """Tells scikit-learn's callbacks of a fit and of every epoch in it.

    Parameters
    ----------
    estimator : estimator with `CallbackSupportMixin`
    max_epochs : int or None
        Number of epochs, or None when a time limit decides.
    X : array
        The training data, which callbacks may ask for.
    learned : callable
        Gives the fitted attributes as they are, for callbacks that ask for a fitted estimator.
    """

    def __init__(self, estimator: Any, max_epochs: int | None, X: Any, learned: Callable[[], dict[str, Any]]) -> None:
        self.estimator, self.X, self.learned = estimator, X, learned
        self.fit: Any = None
        self.task: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self.fit = estimator._init_callback_context(max_subtasks=max_epochs)
            self.fit.call_on_fit_task_begin(estimator=estimator, X=X)

    def begin(self) -> None:
        """An epoch begins."""
        if self.fit is not None:
            self.task = self.fit.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(estimator=self.estimator, X=self.X)

    def end(self, record: dict[str, float]) -> bool:
        """An epoch has ended; True if a callback asks to stop."""
        if self.task is None:
            return False
        return bool(
            self.task.call_on_fit_task_end(
                estimator=self.estimator,
                X=self.X,
                metadata=record,
                reconstruction_attributes=self.learned,
            )
        )

    def close(self) -> None:
        """The fit has ended."""
        if self.fit is not None:
            self.fit.call_on_fit_task_end(estimator=self.estimator, X=self.X, reconstruction_attributes=self.learned)
