"""Damage to files."""


def flip_one_byte(path, position):
    """Change one bit of the byte at a position of a file."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
