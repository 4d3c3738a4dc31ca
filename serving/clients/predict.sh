#!/bin/sh
# Send an image to a model on a server with curl, and print the prediction:
#     predict.sh URL MODEL FILE
# FILE is a PNG, JPEG, GIF or BMP image, or JSON with 28 rows of 28 pixels of 0 to 255.
set -eu
url=${1:?URL MODEL FILE are expected} model=${2:?MODEL FILE are expected} file=${3:?FILE is expected}
test -r "$file" || {
    echo "$file cannot be read" >&2
    exit 2
}

# curl reads the request from a pipe, because an image is too long for a command-line argument.
case $file in
*.json)
    printf '{"signature_name": "pixels", "inputs": {"image": ['
    cat "$file"
    printf ']}}'
    ;;
*)
    printf '{"signature_name": "image_bytes", "inputs": {"image_bytes": [{"b64": "'
    base64 <"$file" | tr -d '\n'
    printf '"}]}}'
    ;;
esac | curl --silent --show-error --fail-with-body --max-time 30 \
    --header 'Content-Type: application/json' --data-binary @- "$url/v1/models/$model:predict"
