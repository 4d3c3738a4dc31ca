"""Export of models as SavedModels that TensorFlow Serving serves as they are."""

from kerashw.export.epoch_versions import export_epochs
from kerashw.export.models_config_writer import versions, write_models_config
from kerashw.export.question_models import export_question_model
from kerashw.export.saved_model_writer import export_saved_model

__all__ = [
    "export_epochs",
    "export_question_model",
    "export_saved_model",
    "versions",
    "write_models_config",
]
