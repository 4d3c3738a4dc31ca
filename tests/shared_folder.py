"""A folder that several tests share, also in parallel processes of pytest."""

import os

from kerashw.files import lock_folder


def shared_folder(tmp_path_factory, name, fill):
    """Return a folder that `fill(folder)` has filled once for all processes of pytest.

    Args:
        tmp_path_factory: pytest's fixture.
        name: String, the name of the folder.
        fill: Function that writes the folder's files.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    lock, folder = root / f"{name}-lock", root / name
    lock.mkdir(exist_ok=True)
    with lock_folder(lock):
        if not (folder / "complete").exists():
            folder.mkdir(exist_ok=True)
            fill(folder)
            (folder / "complete").touch()
    return folder
