"""Parses the values of the command's flags."""

import argparse
import re


def channel_arguments(text):
    """Parse gRPC's channel arguments. As in TensorFlow Serving, integers are passed as such."""
    arguments = {}
    for pair in filter(None, text.split(",")):
        key, separator, value = pair.partition("=")
        if not key or not separator:
            raise argparse.ArgumentTypeError(f"expected KEY=VALUE,... Received: {text}")
        arguments[key] = int(value) if re.fullmatch("-?[0-9]{1,9}", value) else value
    return arguments


def boolean(text):
    """Parse a boolean as TensorFlow does."""
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false. Received: {text}")


def workers(text):
    """Return the number of workers as a string, or `auto`."""
    if text != "auto" and not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a positive number or auto. Received: {text}")
    return text


def unsupported(text):
    """Parse the value of an unsupported flag: `None` if it is empty or false."""
    return None if text.lower() in ("", "false", "0") else text


BOOLEAN = {"nargs": "?", "const": True, "default": False, "type": boolean, "metavar": "BOOL"}
