"""Let Keras find the classes of saved models, without importing Keras before the user does.

Keras loads a `.keras` file without `custom_objects` if the file's classes are registered, and a
class is registered when its module is imported. But `import kerashw` must not import Keras: that
would choose the backend. So the rooms with such classes are imported together with Keras, whichever
of the two comes first.
"""

import importlib
import sys
from importlib.machinery import PathFinder

# The rooms whose classes saved models name.
_ROOMS = ("kerashw.layers", "kerashw.optimizers")


def register_with_keras():
    """Register kerashw's classes: now if Keras is imported, else as soon as it is.

    Example:
        >>> import keras
        >>> register_with_keras()
        >>> keras.saving.get_registered_object("kerashw>FactoredDense").__name__
        'FactoredDense'
    """
    if "keras" in sys.modules:
        _import_rooms()
    elif _AfterKeras not in sys.meta_path:
        sys.meta_path.insert(0, _AfterKeras)


def _import_rooms():
    for room in _ROOMS:
        importlib.import_module(room)


class _AfterKeras:
    """Find Keras as Python itself does, and import the rooms after it."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name == "keras" else None
        if spec is not None:
            load = spec.loader.exec_module

            def load_keras_and_rooms(module):
                load(module)
                sys.meta_path.remove(cls)
                _import_rooms()

            spec.loader.exec_module = load_keras_and_rooms
        return spec
