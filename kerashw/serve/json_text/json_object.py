"""JSON objects with repeated keys."""


class MultiDict(dict):
    """A JSON object in which a key occurs more than once.

    As a dictionary it has the first value of each key, as RapidJSON's objects do.

    Args:
        pairs: List of all (key, value) pairs, in the order of the text.
    """

    def __init__(self, pairs):
        super().__init__(reversed(pairs))
        self.pairs = pairs


def all_items(json_object):
    """Return the (key, value) pairs of a JSON object, including those of repeated keys.

    Example:
        >>> list(all_items({"a": 1}))
        [('a', 1)]
        >>> all_items(MultiDict([("a", 1), ("a", 2)]))
        [('a', 1), ('a', 2)]
    """
    return json_object.pairs if isinstance(json_object, MultiDict) else json_object.items()
