"""Messages in the wire format of protocol buffers, of which checkpoints consist, read with bounds."""

from collections.abc import Iterator

#: A field's value: a whole number, or the bytes of a text, a message, packed numbers, or a number of fixed size.
Value = int | memoryview


def read_varint(data: memoryview, place: int) -> tuple[int, int]:
    """Return the whole number of up to 64 bits that begins at a place, and the place after it.

    Raises:
        ValueError: it is cut short, or longer.
    """
    number = shift = 0
    while shift < 64 and place < len(data):
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number & (2**64 - 1), place
    raise ValueError("a whole number is cut short or too long")


def read_varints(data: memoryview, maximum: int) -> list[int]:
    """Return packed whole numbers, those from 2**63 on as negative ones.

    Args:
        data: the numbers.
        maximum: how many are expected at most.

    Raises:
        ValueError: there are more, or one is cut short.
    """
    numbers, place = [], 0
    while place < len(data):
        number, place = read_varint(data, place)
        numbers.append(signed(number))
        if len(numbers) > maximum:
            raise ValueError(f"it holds more than {maximum} numbers")
    return numbers


def signed(number: int) -> int:
    """Return a whole number of 64 bits as a signed one."""
    return number - 2**64 if number >= 2**63 else number


def read_fields(message: memoryview) -> dict[int, list[Value]]:
    """Return the values of a message's fields by the fields' numbers, in the order in which they come.

    Raises:
        ValueError: it is not a message, or is cut short.
    """
    found: dict[int, list[Value]] = {}
    for number, value in _fields(message):
        found.setdefault(number, []).append(value)
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    place = 0
    while place < len(message):
        key, place = read_varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = read_varint(message, place)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if kind == 2:
                size, place = read_varint(message, place)
            if size is None or size > len(message) - place:
                raise ValueError("a field is cut short, or of an unknown kind")
            value, place = message[place : place + size], place + size
        yield number, value
