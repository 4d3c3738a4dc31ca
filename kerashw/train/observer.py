"""The interface through which a run reports its progress; the base class ignores everything."""


class Observer:
    """Receives the events of a run, in the order of the methods below.

    It is also a context manager, which is entered before the run and left after it.
    """

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        """The run has ended or failed."""

    def on_workers_wait(self, choice, timeout):
        """The run waits up to `timeout` seconds for the workers of a `StrategyChoice`."""

    def on_data_load(self, dataset):
        """The run loads the data set of this name."""

    def on_model_begin(self, model, history):
        """The training of a model starts or resumes; return a list of Keras callbacks for it."""
        return []

    def on_epoch_end(self, model, entry):
        """An epoch has ended; `entry` is its entry in the history."""

    def on_export(self, name):
        """A model that has nothing to train is exported."""

    def on_run_end(self, run_folder, results):
        """The run is complete; `results` is a list of `kerashw.train.results.Result`."""
