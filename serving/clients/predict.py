"""Ask a server for a model's prediction of an image, with requests.

python predict.py URL MODEL FILE

FILE is a PNG or JPEG image, or JSON: 28 rows of 28 pixels of 0 to 255.
"""

import base64
import json
import sys
from pathlib import Path

import requests


def predict(url, model, signature, inputs):
    """Return a model's outputs by name.

    Args:
        url: String, where the server is: `http://127.0.0.1:8501`.
        model: String, the model's name; `convnet/labels/stable` for a label's version.
        signature: String, which of its signatures.
        inputs: Dictionary of nested lists, by input.

    Returns:
        Dictionary of nested lists; the first dimension counts the examples.

    Raises:
        requests.RequestException: If there is no answer, or an error; the server's text is in
            `error.response.text`.
    """
    answer = requests.post(
        f"{url}/v1/models/{model}:predict",
        json={"signature_name": signature, "inputs": inputs},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["outputs"]


def main(url, model, file):
    """Print a model's prediction of the image in a file."""
    data = Path(file).read_bytes()
    if file.endswith(".json"):
        signature, inputs = "pixels", {"image": [json.loads(data)]}
    else:
        signature = "image_bytes"
        inputs = {"image_bytes": [{"b64": base64.b64encode(data).decode()}]}
    try:
        outputs = predict(url, model, signature, inputs)
    except requests.RequestException as error:
        return error.response.text if error.response is not None else str(error)
    print(json.dumps({"outputs": outputs}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else __doc__)
