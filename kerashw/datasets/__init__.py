"""The data: MNIST, data sets of its shape, and Question 3's diagonals.

Once this package is imported, `tfds.load("diagonals")` works, and tensorflow-datasets is still not
imported before somebody asks for it.
"""

from kerashw.registration import import_after

import_after("tensorflow_datasets", "kerashw.datasets.diagonals_builder")
