"""A JSON parser with RapidJSON's values, error messages and error offsets."""

import math
import re

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.json_object import MultiDict

MAX_DEPTH = 256  # no tensor has more dimensions
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\n\r]*")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?")
_UNESCAPED = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX_DIGITS = re.compile(rb"[0-9A-Fa-f]{0,4}")
_ESCAPES = dict(zip(b'"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))
_LITERALS = ((b"null", None), (b"true", True), (b"false", False))
# A list of numbers up to its closing bracket, which is read in one step. The numbers have so few
# digits that all of them are within the range of a double.
_SHORT = rb"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?|-?Infinity|NaN"
_NUMBERS = re.compile(rb"(?:(?:%b)[ \t\n\r]*,[ \t\n\r]*)*(?:%b)[ \t\n\r]*(?=\])" % (_SHORT, _SHORT))


class RapidJSONParser:
    """Parses the first JSON value of a text.

    Args:
        body: Bytes.
    """

    def __init__(self, body):
        self.body = body
        self.offset = len(_BYTE_ORDER_MARK) if body.startswith(_BYTE_ORDER_MARK) else 0
        self.depth = 0

    def parse(self):
        """Return the value, as `kerashw.serve.json_text.json_reader.read_json` does."""
        self._skip_space()
        if not self._peek():
            self._fail("The document is empty.")
        return self._value()

    def _fail(self, message, offset=None):
        offset = self.offset if offset is None else offset
        raise RequestError(f"JSON Parse error: {message} at offset: {offset}")

    def _peek(self):
        """Return the next byte, or no byte at the end. RapidJSON also ends at a NUL."""
        return self.body[self.offset : self.offset + 1].strip(b"\0")

    def _consume(self, byte):
        if self.body[self.offset : self.offset + 1] != byte:
            return False
        self.offset += 1
        return True

    def _match(self, pattern):
        match = pattern.match(self.body, self.offset)
        self.offset = match.end()
        return match[0]

    def _skip_space(self):
        self.offset = _SPACE.match(self.body, self.offset).end()

    def _value(self):
        first = self._peek()
        if first == b"{":
            return self._nested(self._object)
        if first == b"[":
            return self._nested(self._array)
        if first == b'"':
            return self._string()
        for word, value in _LITERALS:
            if first == word[:1]:
                self._literal(word)
                return value
        return self._number()

    def _nested(self, parse):
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._fail(f"More than {MAX_DEPTH} nested values.")
        self.offset += 1
        self._skip_space()
        value = parse()
        self.depth -= 1
        return value

    def _object(self):
        pairs = []
        if self._consume(b"}"):
            return {}
        while True:
            if self._peek() != b'"':
                self._fail("Missing a name for object member.")
            key = self._string()
            self._skip_space()
            if not self._consume(b":"):
                self._fail("Missing a colon after a name of object member.")
            self._skip_space()
            pairs.append((key, self._value()))
            self._skip_space()
            if self._consume(b"}"):
                members = dict(pairs)
                return members if len(members) == len(pairs) else MultiDict(pairs)
            if not self._consume(b","):
                self._fail("Missing a comma or '}' after an object member.")
            self._skip_space()

    def _array(self):
        if self._consume(b"]"):
            return []
        numbers = _NUMBERS.match(self.body, self.offset)
        if numbers:
            self.offset = numbers.end() + 1
            return [_short_number(text) for text in numbers[0].split(b",")]
        values = []
        while True:
            values.append(self._value())
            self._skip_space()
            if self._consume(b"]"):
                return values
            if not self._consume(b","):
                self._fail("Missing a comma or ']' after an array element.")
            self._skip_space()

    def _literal(self, word):
        for byte in word:
            if not self._consume(bytes([byte])):
                self._fail("Invalid value.")

    def _number(self):
        start = self.offset
        match = _NUMBER.match(self.body, start)
        if not match:
            return self._not_finite()
        self.offset = match.end()
        fraction, exponent = match[1], match[2]
        if exponent is None:
            if fraction is None and self._consume(b"."):
                self._fail("Miss fraction part in number.")
            if self._consume(b"e") or self._consume(b"E"):
                _ = self._consume(b"+") or self._consume(b"-")
                self._fail("Miss exponent in number.")
        if fraction is None and exponent is None:
            number = _integer(match[0])
        else:
            number = _decimal(match[0], fraction, exponent)
        if math.isinf(number):
            self._fail("Number too big to be stored in double.", start)
        return number

    def _not_finite(self):
        sign = -1 if self._consume(b"-") else 1
        if self._peek() == b"N":
            self._literal(b"NaN")
            return math.nan
        if self._peek() != b"I":
            self._fail("Invalid value.")
        self._literal(b"Inf")
        if self._peek() == b"i":
            self._literal(b"inity")
        return sign * math.inf

    def _string(self):
        self.offset += 1
        parts = []
        while True:
            parts.append(self._match(_UNESCAPED).decode("utf-8", "surrogateescape"))
            if self._consume(b'"'):
                return "".join(parts)
            if not self._peek():
                self._fail("Missing a closing quotation mark in string.")
            if self._peek() != b"\\":
                self._fail("Invalid encoding in string.")
            parts.append(self._escape())

    def _escape(self):
        start = self.offset
        kind = self.body[start + 1 : start + 2]
        self.offset += 2
        if kind == b"u":
            return chr(self._code_point(start))
        if not kind or kind[0] not in _ESCAPES:
            self._fail("Invalid escape character in string.", start)
        return _ESCAPES[kind[0]]

    def _code_point(self, start):
        high = self._hexadecimal(start)
        if not 0xD800 <= high <= 0xDFFF:
            return high
        if high > 0xDBFF or not (self._consume(b"\\") and self._consume(b"u")):
            self._fail("The surrogate pair in string is invalid.", start)
        low = self._hexadecimal(start)
        if not 0xDC00 <= low <= 0xDFFF:
            self._fail("The surrogate pair in string is invalid.", start)
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)

    def _hexadecimal(self, start):
        digits = self._match(_HEX_DIGITS)
        if len(digits) < 4:
            self._fail("Incorrect hex digit after \\u escape in string.", start)
        return int(digits, 16)


def _short_number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)


def _integer(text):
    # A double has at most 309 digits. Python refuses to read integers of more than 4300 digits.
    if len(text) > 310:
        return math.inf
    number = int(text)
    if -(2**63) <= number < 2**64:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _decimal(text, fraction, exponent):
    # RapidJSON also refuses exponents of more than 308 plus the number of digits of the fraction.
    digits = len(fraction) - 1 if fraction else 0
    if exponent and _exceeds(exponent, 308 + min(digits, 17)):
        return math.inf
    return float(text)


def _exceeds(exponent, limit):
    digits = exponent.lstrip(b"+0")
    return not exponent.startswith(b"-") and (len(digits) > 3 or int(digits or b"0") > limit)
