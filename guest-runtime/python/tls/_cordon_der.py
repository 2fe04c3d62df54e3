"""A reader and a writer of DER, as much of it as certificates and keys need."""

_SHORT_TEXT = {
    0x0C: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x12: "latin-1",
    0x1A: "latin-1",
    0x1E: "utf-16-be",
    0x1C: "utf-32-be",
}


class Damaged(ValueError):
    """The bytes are no valid DER."""


class Reader:
    """Reads the values inside one constructed value, one after the other."""

    def __init__(self, content):
        self.content = bytes(content)
        self.position = 0

    def more(self):
        return self.position < len(self.content)

    def tag(self):
        """The tag of the next value."""
        if not self.more():
            raise Damaged("a value is missing")
        return self.content[self.position]

    def next(self):
        """Tag and content of the next value."""
        tag, at = self.tag(), self.position + 1
        if at >= len(self.content):
            raise Damaged("a length is missing")
        length, at = self.content[at], at + 1
        if length & 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 4:
                raise Damaged("a length has %d octets" % octets)
            length, at = int.from_bytes(self.content[at : at + octets], "big"), at + octets
        if at + length > len(self.content):
            raise Damaged("a value is cut off")
        self.position = at + length
        return tag, self.content[at : at + length]

    def take(self, tag):
        """Content of the next value, which must have this tag."""
        found, content = self.next()
        if found != tag:
            raise Damaged("a value has tag %#x, not %#x" % (found, tag))
        return content

    def enter(self, tag):
        """A reader of the next value, which must have this tag."""
        return Reader(self.take(tag))

    def text(self):
        """The next value as text, whatever kind of text it is."""
        tag, content = self.next()
        return content.decode(_SHORT_TEXT.get(tag, "latin-1"), "replace")

    def __iter__(self):
        """Readers of the values that follow."""
        while self.more():
            yield Reader(self.next()[1])


def oid_text(content):
    """``1.2.840`` and so on."""
    if not content or content[-1] & 0x80:
        raise Damaged("an object identifier is empty or cut off")
    numbers, number = [], 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first] + numbers[1:]))


def number_of(content):
    """The number of an ``INTEGER``'s content."""
    if not content:
        raise Damaged("a number is empty")
    return int.from_bytes(content, "big", signed=True)


def integer(number):
    """The DER of a number."""
    # One bit more than the number has is the sign.
    length = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return value(0x02, number.to_bytes(length, "big", signed=True))


def value(tag, *contents):
    """The DER of one value."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def oid(text):
    """The DER of an object identifier."""
    numbers = [int(part) for part in text.split(".")]
    out = bytearray()
    for number in [numbers[0] * 40 + numbers[1]] + numbers[2:]:
        octets = [number & 0x7F]
        while number > 0x7F:
            number >>= 7
            octets.append(number & 0x7F | 0x80)
        out += bytes(reversed(octets))
    return value(0x06, bytes(out))
