"""Export of trained classifiers as SavedModels that TensorFlow Serving serves as they are."""

from kerashw.export.models_config_writer import versions, write_models_config
from kerashw.export.saved_model_writer import export_saved_model

__all__ = ["export_saved_model", "versions", "write_models_config"]
