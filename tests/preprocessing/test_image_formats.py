import numpy as np
import pytest
import tensorflow as tf

from kerashw.preprocessing.image_formats import SIGNATURES, describe, has_signature, is_decodable
from tests.preprocessing.images import encode

IMAGE = np.eye(20, dtype=np.uint8) * 255


@pytest.mark.parametrize("kind", SIGNATURES)
def test_a_file_has_the_signature_of_its_own_format_alone(kind):
    file = encode(IMAGE, kind)
    assert [name for name in SIGNATURES if has_signature(file, name)] == [kind]
    assert is_decodable(file)


@pytest.mark.parametrize(
    ("file", "description"),
    [
        (encode(IMAGE, "WEBP"), "a WebP image"),
        (encode(IMAGE, "TIFF"), "a TIFF image"),
        (encode(IMAGE, "JPEG2000"), "a JPEG 2000 image"),
        (encode(IMAGE, "PDF"), "a PDF image"),
        (encode(IMAGE, "ICO"), "an ICO image"),
        (encode(IMAGE, "AVIF"), "an AVIF image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an HEIC image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG image"),
        (b"a text", "not an image"),
        (b"", "an empty file"),
    ],
    # A PDF contains the time: names of tests with its bytes differ between pytest's workers.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_files_are_described(file, description):
    assert not is_decodable(file)
    assert describe([file])[0] == description.encode()


def test_all_files_are_described_at_once():
    files = tf.constant([[encode(IMAGE, "WEBP"), b""], [b"text", b"%PDF-1.7"]])
    assert describe(files).shape == (2, 2)
