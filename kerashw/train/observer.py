"""The interface through which a run reports its progress."""


class Observer:
    """Hears of a run while it goes on; this one does nothing with it."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        """The run is over, or has failed."""

    def meeting(self, plan, timeout):
        """The other workers of a `kerashw.distribution.Plan` are waited for, so many seconds."""

    def preparing(self, dataset):
        """The data set of this name is being made ready."""

    def training(self, model, history):
        """A model's training starts, or goes on; return a list of Keras callbacks to watch it."""
        return []

    def epoch(self, model, entry):
        """An epoch is over; `entry` is its entry in the history."""

    def finished(self, run_folder, results):
        """The run is complete; `results` are a `kerashw.train.results.Result` a model."""
