"""Import modules together with the package that they extend, without importing that package early.

Keras loads a `.keras` file without `custom_objects` if the file's classes are registered, and a
class is registered when its module is imported. But `import kerashw` must not import Keras: that
would choose the backend. So the rooms with such classes are imported together with Keras, whichever
of the two comes first. The builders of data sets follow tensorflow-datasets in the same way.
"""

import importlib
import sys
from importlib.machinery import PathFinder

# The rooms whose classes saved models name.
_ROOMS = ("kerashw.layers", "kerashw.metrics", "kerashw.optimizers")


def register_with_keras():
    """Register kerashw's classes: now if Keras is imported, else as soon as it is.

    Example:
        >>> import keras
        >>> register_with_keras()
        >>> keras.saving.get_registered_object("kerashw>FactoredDense").__name__
        'FactoredDense'
    """
    import_after("keras", *_ROOMS)


def import_after(package, *modules):
    """Import modules as soon as a package is imported; now if it is already.

    Args:
        package: String, the name of a top-level package.
        *modules: Strings, the names of the modules.

    Example:
        >>> import json
        >>> import_after("json", "kerashw.errors")
    """
    if package in sys.modules:
        _import_all(modules)
    elif not any(getattr(finder, "package", None) == package for finder in sys.meta_path):
        sys.meta_path.insert(0, _After(package, modules))


def _import_all(modules):
    for module in modules:
        importlib.import_module(module)


class _After:
    """Find a package as Python itself does, and import modules after it."""

    def __init__(self, package, modules):
        self.package, self.modules = package, modules

    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name == self.package else None
        if spec is not None:
            load = spec.loader.exec_module

            def load_package_and_modules(module):
                load(module)
                sys.meta_path.remove(self)
                _import_all(self.modules)

            spec.loader.exec_module = load_package_and_modules
        return spec
