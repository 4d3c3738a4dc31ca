"""Send an image to a model on a server with requests, and print the prediction.

python predict.py URL MODEL FILE

FILE is a PNG, JPEG, GIF or BMP image, or JSON with 28 rows of 28 pixels of 0 to 255.
"""

import base64
import json
import sys
from pathlib import Path

import requests


def predict(url, model, signature, inputs):
    """Return the outputs of a model by name.

    Args:
        url: String, the address of the server, such as `http://127.0.0.1:8501`.
        model: String, the name of the model; `convnet/labels/stable` for a version by its label.
        signature: String, the name of the signature.
        inputs: Dictionary from the names of the inputs to nested lists.

    Returns:
        Dictionary from the names of the outputs to nested lists. The first dimension is the number
        of examples.

    Raises:
        requests.RequestException: If the request fails. The error text of the server is
            `error.response.text`.
    """
    response = requests.post(
        f"{url}/v1/models/{model}:predict",
        json={"signature_name": signature, "inputs": inputs},
        timeout=30,
    )
    response.raise_for_status()
    return response.json()["outputs"]


def main(url, model, file):
    """Print the prediction of a model for the image in a file; return an error text or 0."""
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
