"""What a console of a certain width and encoding shows."""

import io

from rich.console import Console


def recording_console(width, encoding="utf-8"):
    """Return a console that writes to memory."""
    file = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", write_through=True)
    return Console(file=file, width=width, markup=False, emoji=False)


def shown(console):
    """Return what a recording console has written."""
    return console.file.buffer.getvalue().decode(console.file.encoding)


def assert_shown_whole(console, texts):
    """Check that every word of the texts was written, in lines that fit."""
    written = shown(console)
    assert max(map(len, written.splitlines())) <= console.width
    encoding = console.file.encoding
    words = {
        word
        for text in texts
        for word in text.encode(encoding, "backslashreplace").decode(encoding).split()
    }
    assert words <= set(written.split())
