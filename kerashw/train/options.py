"""The options of `python -m kerashw.train`."""

import argparse
import re

from kerashw.console import Parser, add_data_dir_option, add_quiet_option

EXAMPLES = """\
examples:
  python -m kerashw.train
  python -m kerashw.train --model softmax mlp --epochs 3 --output runs/quick
  python -m kerashw.train --dataset fashion_mnist --output runs/fashion --deterministic
  python -m kerashw.train --dataset path/to/pictures --image-size 64
  python -m kerashw.train --dataset cifar10 --model convnet
  python -m kerashw.train --model models.py:build --optimizer adam --learning-rate 0.001
  python -m kerashw.train --validation-share 0.1 --early-stopping 3 --epochs 50
  python -m kerashw.train --augment shift,rotate,zoom --class-weight balanced
  python -m kerashw.train --config runs/mnist/manifest.json --seed 1 --output runs/again
  python -m kerashw.train --seeds 0 1 2 3 4
  python -m kerashw.train --model diagonal
  python -m kerashw.train --model backprop spaces
  python -m kerashw.train --strategy mirrored
  TF_CONFIG='{"cluster": {"worker": ["host1:12345", "host2:12345"]},
    "task": {"type": "worker", "index": 0}}' python -m kerashw.train --strategy multiworker

exit codes:
  0 done; 2 an error; 130 interrupted; 75 another worker cannot be reached or was lost: start all
  workers again, and they resume after the last finished epoch
"""


def create_parser(name):
    """Return the parser of the command.

    Args:
        name: String, the command as the user types it.
    """
    parser = Parser(
        prog=name,
        description="Train, test, draw and export the homework's models: on MNIST, and those of "
        "Question 3 on generated images of diagonals. Export those of Questions 1 and 2.",
        epilog=EXAMPLES,
    )
    _add_training(parser.add_argument_group("training"))
    _add_options(parser.add_argument_group("optimization"))
    _add_data(parser.add_argument_group("data"))
    _add_devices(parser.add_argument_group("devices"))
    _add_output(parser.add_argument_group("output"))
    return parser


def _add_training(group):
    add = group.add_argument
    add(
        "--config",
        metavar="FILE",
        help="a TOML file with options, as epochs = 3, or the manifest.json of a run, for the same "
        "run again; options on the command line win",
    )
    add(
        "--model",
        nargs="+",
        default=["softmax", "mlp", "convnet"],
        metavar="NAME",
        help="the models to train: softmax, mlp, convnet (default: these three), factored; for "
        "Question 3: learned_diagonal, or diagonal, which has nothing to train and adds "
        "learned_diagonal for comparison; for Questions 1 and 2: backprop and spaces, which are "
        "exported for the server's page and need no data; or file.py:function or "
        "package.module:function, a function of the shape of an image and the number of classes "
        "that returns a Keras model",
    )
    add("--epochs", type=int, default=10, metavar="N", help="passes over the data (default: 10)")
    add("--batch-size", type=int, default=128, metavar="N", help="examples a step (default: 128)")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="for the initial weights, the order of the examples and dropout (default: 0)",
    )
    add(
        "--seeds",
        type=int,
        nargs="+",
        metavar="N",
        help="train once with each seed, in the folders seed-N of the output, and report the mean "
        "and the standard deviation, as --seeds 0 1 2 3 4",
    )
    add(
        "--precision",
        default="float32",
        metavar="TYPE",
        help="float32, or bfloat16 for Keras' mixed_bfloat16 policy (default: float32)",
    )
    add("--deterministic", action="store_true", help="make the run reproducible to the last bit")
    add(
        "--keep-epochs",
        action="store_true",
        help="export the untrained model and the model after each epoch too, as versions 1, 2, …",
    )


def _add_options(group):
    add = group.add_argument
    add(
        "--optimizer",
        type=str.lower,
        metavar="NAME",
        help="adadelta, adam, adamw, sgd, rmsprop or another one of Keras (default: adadelta, as "
        "in the homework, or the optimizer of a model that a function has compiled)",
    )
    add("--learning-rate", type=float, metavar="X", help="(default: that of the optimizer)")
    add(
        "--validation-share",
        type=float,
        metavar="X",
        help="the share of the training images, chosen by --seed, on which the models are "
        "evaluated after every epoch; the test images are then used once, at the end",
    )
    add(
        "--early-stopping",
        type=int,
        metavar="N",
        help="end a training after N epochs without a smaller validation loss; the model is that "
        "of the last epoch",
    )
    add(
        "--augment",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="NAME,…",
        help="change the training images at random: flip, shift, rotate, zoom, contrast",
    )
    add(
        "--class-weight",
        metavar="NAME",
        help="balanced, for the same weight of all classes in the loss (default: of all images)",
    )


def _add_data(group):
    add = group.add_argument
    add(
        "--dataset",
        metavar="NAME",
        help="mnist, which needs no network; another set of labelled images of "
        "tensorflow-datasets, such as fashion_mnist, cifar10 or emnist/letters; a folder of "
        "pictures, with train/CLASS/* and test/CLASS/*, or CLASS/*; a .npz file with x_train, "
        "y_train, x_test and y_test; or diagonals or diagonals/salt, which are generated (default: "
        "mnist; diagonals for Question 3's models)",
    )
    add(
        "--image-size",
        type=_image_size,
        metavar="N",
        help="scale all images to N×N pixels, or to HEIGHTxWIDTH, as 64x48; the aspect ratio is "
        "not kept (default: their own size, which must be the same for all)",
    )
    add(
        "--test-share",
        type=float,
        default=0.2,
        metavar="X",
        help="the share of each class that is for the test, chosen by --seed, if the data set has "
        "no test images of its own (default: 0.2)",
    )
    add(
        "--skip-damaged",
        action="store_true",
        help="go on without the files in a folder that are damaged or no pictures",
    )
    add(
        "--memory",
        metavar="SIZE",
        help="the size, such as 2G, above which images stay on disk and are read while a model is "
        "trained, with the same results (default: a quarter of the machine's memory)",
    )
    add_data_dir_option(group)
    add("--train-examples", type=int, metavar="N", help="train on the first N (default: all)")
    add("--test-examples", type=int, metavar="N", help="test on the first N (default: all)")


def _image_size(text):
    size = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text)
    if not size:
        raise argparse.ArgumentTypeError(
            f"expected a number of pixels, or HEIGHTxWIDTH. Received: {text!r}"
        )
    return int(size[1]), int(size[2] or size[1])


def _add_devices(group):
    add = group.add_argument
    add(
        "--strategy",
        default="auto",
        choices=("auto", "default", "mirrored", "multiworker"),
        metavar="NAME",
        help="default, one device; mirrored, all GPUs of this machine; multiworker, the machines "
        "in TF_CONFIG; auto, whatever is available (default: auto)",
    )
    add(
        "--worker-timeout",
        type=float,
        default=60,
        metavar="S",
        help="seconds to wait for the other workers and their names at the start (default: 60)",
    )


def _add_output(group):
    add = group.add_argument
    add(
        "--output",
        metavar="DIR",
        help="the run's folder, in which an interrupted run resumes (default: runs/ and the name "
        "of the data set, as runs/mnist; runs/theory without data)",
    )
    add("--tensorboard", action="store_true", help="write TensorBoard logs (extra: tensorboard)")
    add_quiet_option(group)
