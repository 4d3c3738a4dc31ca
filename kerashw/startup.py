"""What a command does before its imports: where modules come from, and on what Keras runs.

A command imports this module before any other:

- `python -m` puts the working folder first on `sys.path`. A file `random.py` or `keras.py` in it
  would hide the module of this name. So the working folder is taken from `sys.path`; if kerashw
  itself is imported from it, it becomes the last folder instead.
- `use_tensorflow` selects the backend of Keras, and `import_keras` imports it.
"""

import os
import sys

import kerashw
from kerashw.errors import InputError

OPTIONAL_PACKAGES = ("IPython", "jax", "matplotlib", "pandas", "sklearn", "torch")


def use_tensorflow():
    """Let Keras run on TensorFlow with its default settings, whatever `~/.keras/keras.json` says.

    Training, verification and the benchmark need TensorFlow, and a float type or an image format
    from that file would change their numbers. Call this before Keras is imported.

    Raises:
        InputError: If the environment variable `KERAS_BACKEND` names another backend.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise InputError(
            "this command needs Keras on TensorFlow. Unset the environment variable KERAS_BACKEND. "
            f"Received: KERAS_BACKEND={backend}"
        )
    os.environ["KERAS_BACKEND"] = backend
    os.environ["KERAS_HOME"] = os.devnull  # where no keras.json can be


def import_keras():
    """Import Keras without the packages that it can use and no command does.

    Where they are installed, their import takes up to seconds.
    """
    hidden = [name for name in OPTIONAL_PACKAGES if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # an import raises ImportError
    try:
        import keras  # noqa: F401 - imported here, it stays imported
    finally:
        for name in hidden:
            del sys.modules[name]


def _import_from_working_folder_last():
    command = getattr(sys.modules["__main__"], "__spec__", None)
    if sys.flags.safe_path or not command or command.name.partition(".")[0] != "kerashw":
        return  # `python -P`, or a program that imports a command
    working_folder = sys.path.pop(0)
    if kerashw.__path__[0] == f"{working_folder}{os.sep}kerashw":
        sys.path.append(working_folder)
    else:
        os.environ["PYTHONSAFEPATH"] = "1"  # for child processes


_import_from_working_folder_last()
