"""Places where files cannot be written or read: a small disk, a read-only one, other users."""

import contextlib
import os
import subprocess

import pytest

NOBODY = 65534


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    """Mount a file system of a few kilobytes on a folder; skip the test where this is forbidden.

    Args:
        folder: `Path` of an existing folder.
        kilobytes: Integer.

    Yields:
        Function of a number of kilobytes that makes the file system so large.
    """

    def resize(kilobytes):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", folder], check=True)

    with _mounted(folder, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        yield resize


@contextlib.contextmanager
def read_only(folder):
    """Make a folder read-only, for root too; skip the test where this is forbidden."""
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    with _mounted(folder, "--bind", folder):
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield


@contextlib.contextmanager
def _mounted(folder, *options):
    command = ["mount", *options, folder]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def as_other_user():
    """Run the block as a user whom file permissions bind: root becomes nobody."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
