"""Models that are functions of the user: `package.module:function` or `file.py:function`.

A function gets the shape of an image, (height, width, channels), and the number of classes, and
returns a Keras model. Importing this module does not import Keras.
"""

import importlib
import importlib.util
import re
import sys
import sysconfig
import traceback
from pathlib import Path

import kerashw
from kerashw.errors import InputError
from kerashw.model_names import folder_name

LIBRARIES = (*kerashw.__path__, sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<")

ANSI_CODE = re.compile(r"\x1b\[[0-9;]*m")


def check_function(model, reserved):
    """Check how a function is written, before anything is imported.

    Args:
        model: String, `package.module:function` or `file.py:function`.
        reserved: Collection of strings, the names that the function cannot have.

    Raises:
        InputError: If it is not written so, there is no such file, or the name is reserved.
    """
    place, _, name = model.rpartition(":")
    is_module = all(part.isidentifier() for part in place.split("."))
    if not name.isidentifier() or not (place.endswith(".py") or is_module):
        raise InputError(
            "a model of your own must be given as package.module:function or file.py:function. "
            f"Received: {model}"
        )
    if place.endswith(".py") and not Path(place).is_file():
        raise InputError(f"--model {model}: there is no file {place}. Check its path")
    if name in reserved:
        raise InputError(
            f"a function of this name has no folder of its own: {name} has another meaning. "
            f"Rename the function. Received: {model}"
        )


def load_function(model):
    """Import the function of a model.

    Modules are searched for in the working folder too. A file can import modules beside it.

    Args:
        model: String, `package.module:function` or `file.py:function`.

    Returns:
        Function.

    Raises:
        InputError: If there is no such module or function, or its import fails.
    """
    place, _, name = model.rpartition(":")
    module = _import_file(model, Path(place)) if place.endswith(".py") else _import(model, place)
    function = getattr(module, name, None)
    if not callable(function):
        raise InputError(
            f"--model {model}: {place} has no function {name}. Define it, as "
            f"def {name}(input_shape, num_classes)"
        )
    return function


def call_function(function, model, input_shape, num_classes):
    """Return what the function of a model returns.

    Args:
        function: From `load_function`.
        model: String, `package.module:function` or `file.py:function`.
        input_shape: Tuple (height, width, channels).
        num_classes: Integer.

    Raises:
        InputError: If the function fails.
    """
    try:
        return function(input_shape, num_classes)
    except (Exception, SystemExit) as error:  # of any kind: it is the code of the user
        raise InputError(
            f"--model {model}: {folder_name(model)}({input_shape}, {num_classes}) failed in "
            f"{describe_error(error)}"
        ) from error


def describe_error(error):
    """Return where an error occurred in the user's own code, and the error, in one line.

    Args:
        error: An exception that was raised.

    Returns:
        String.
    """
    if isinstance(error, SyntaxError):
        file, line, code = error.filename, error.lineno, error.text
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)]
        file, line, code = (*own[-1][:2], own[-1].line) if own else (None, None, None)
    lines = str(getattr(error, "msg", None) or error).strip().splitlines() or [""]
    message = lines[0]
    if message.startswith("Exception encountered when calling"):  # Keras; the cause follows
        cause = next(filter(str.strip, lines[1:]), "")
        message = f"{message} {ANSI_CODE.sub('', cause)}".strip()
    where = f"{file}, line {line}, `{(code or '').strip()}`: " if file else ""
    return f"{where}{type(error).__name__}: {message}"


def _import(model, name):
    _append_to_path(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise InputError(
                f"--model {model}: there is no module {error.name}. It must be installed, or in "
                "the working folder"
            ) from error
        raise _import_error(model, error) from error
    except (Exception, SystemExit) as error:
        raise _import_error(model, error) from error


def _import_file(model, path):
    path, name = path.resolve(), path.stem
    if name in sys.modules:
        module = sys.modules[name]
        if getattr(module, "__file__", None) != str(path):
            raise InputError(
                f"--model {model}: a module {name} is imported already. Rename the file"
            )
        return module
    _append_to_path(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    # Keras finds the classes of a saved model by the name of their module.
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _import_error(model, error) from error
    return module


def _import_error(model, error):
    return InputError(f"--model {model} cannot be imported: {describe_error(error)}")


def _append_to_path(folder):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
