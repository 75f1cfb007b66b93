"""Seeded damage to valid files: random bytes, and what somebody would craft who knows the format."""

import io
import json
import math
import os
import random
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import numpy as np

from tfmetamers.utilities.json_files import SEAL, sealed

#: What a value of JSON, or a cell of a table, is replaced by.
VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1,
    3,
    2**31,
    2**63,
    10**30,
    -0.5,
    1e308,
    math.inf,
    math.nan,
    "",
    "x",
    "é" * 300,
    "a\0b",
    "\ud800",
    "../../escaped",
    "/dev/zero",
    "'\"<script>",
    "1e999",
    [],
    [None],
    [[1, "a"], {}],
    {},
    {"name": "x"},
    [1] * 50,
]


def damaged(path: Path, chance: random.Random) -> None:
    """Damage a file in a way that its kind allows, or in any way."""
    special = KINDS.get(path.suffix.lower())
    content = path.read_bytes()
    if chance.random() < 0.02:
        _replace(path, chance)
        return
    if special and chance.random() < 0.6:
        try:
            content = special(content, chance)
        except Exception:  # The file is of another kind than its ending says.
            content = any_bytes(content, chance)
    else:
        content = any_bytes(content, chance)
    path.write_bytes(content)


def _replace(path: Path, chance: random.Random) -> None:
    """Put something else in a file's place."""
    path.unlink()
    kind = chance.choice(["fifo", "device", "folder", "nothing", "self", "text"])
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "self":
        path.symlink_to(path)
    elif kind == "text":
        path.write_text("<html>404</html>")


def any_bytes(content: bytes, chance: random.Random) -> bytes:
    """Change bytes without knowing what they are."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        size = len(data)
        place = chance.randrange(size + 1)
        if chance.random() < 0.3:  # Formats have most of their structure at their ends.
            place = min(size, chance.choice([place % 64, max(size - 1 - place % 64, 0)]))
        length = chance.choice([1, 1, 2, 4, 8, 64, 512])
        way = chance.choice(["flip", "set", "set", "cut", "delete", "insert", "repeat", "number", "fill"])
        if way == "flip" and place < size:
            data[place] ^= 1 << chance.randrange(8)
        elif way == "set":
            data[place : place + length] = chance.randbytes(len(data[place : place + length]))
        elif way == "cut":
            del data[place:]
        elif way == "delete":
            del data[place : place + length]
        elif way == "insert":
            data[place:place] = chance.randbytes(length)
        elif way == "repeat":
            data[place:place] = bytes(data[place : place + length]) * chance.choice([1, 2, 100])
        elif way == "number":
            number = chance.choice([0, 1, 0x7F, 0xFF, 0x7FFF, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1])
            width = chance.choice([1, 2, 4, 8])
            data[place : place + width] = (number % 256**width).to_bytes(width, chance.choice(["little", "big"]))
        elif way == "fill":
            data[place : place + length] = bytes([chance.choice([0, 255])]) * len(data[place : place + length])
    return bytes(data)


def json_text(content: bytes, chance: random.Random) -> bytes:
    """Change a value of JSON, and seal it anew if it was sealed and somebody would."""
    tree = json.loads(content)
    was_sealed = isinstance(tree, dict) and SEAL in tree and len(tree[SEAL]) == 64
    for _ in range(chance.choice([1, 1, 2, 4])):
        tree = _changed(tree, chance)
    if was_sealed and isinstance(tree, dict) and chance.random() < 0.8:
        tree = sealed({key: value for key, value in tree.items() if key != SEAL})
    text = json.dumps(tree)
    if chance.random() < 0.05:
        deep = chance.choice([70, 900, 100_000])
        text = text[:-1] + f', "deep": {"[" * deep}{"]" * deep}}}' if text.endswith("}") else "[" * deep
    return text.encode()


def _changed(tree, chance: random.Random):
    """Return JSON with one value replaced, left out, added or doubled, anywhere."""
    if isinstance(tree, dict) and tree and chance.random() < 0.85:
        key = chance.choice(list(tree))
        way = chance.random()
        changed = dict(tree)
        if way < 0.15:
            del changed[key]
        elif way < 0.25:
            changed[chance.choice(["x", "", "name", "format", "a" * 300])] = _value(chance)
        else:
            changed[key] = _changed(tree[key], chance)
        return changed
    if isinstance(tree, list) and tree and chance.random() < 0.85:
        place, changed = chance.randrange(len(tree)), list(tree)
        way = chance.random()
        if way < 0.15:
            del changed[place]
        elif way < 0.3:
            changed.insert(place, chance.choice([tree[place], _value(chance)]))
        else:
            changed[place] = _changed(tree[place], chance)
        return changed
    if isinstance(tree, int | float) and not isinstance(tree, bool) and chance.random() < 0.5:
        return chance.choice([-tree, tree + 1, tree * 10**6, tree * 1000, 0, tree / 2])
    return _value(chance)


def _value(chance: random.Random):
    return chance.choice(VALUES)


def array(content: bytes, chance: random.Random) -> bytes:
    """Change the header of an array, or make it another one."""
    way = chance.random()
    if way < 0.3:
        values = np.load(io.BytesIO(content))
        other = chance.choice(
            [
                values.astype(np.float64),
                values.astype(np.int32) if values.dtype.kind == "f" else values.astype(object),
                values[..., None],
                values.ravel(),
                np.asfortranarray(values),
                values * np.nan if values.dtype.kind == "f" else values,
                np.array("text"),
                np.array([{}], object),
                np.zeros((0, 2**40)),
            ]
        )
        stream = io.BytesIO()
        np.save(stream, other, allow_pickle=True)
        return stream.getvalue()
    size = int.from_bytes(content[8:10], "little")
    header, values = content[10 : 10 + size].decode("latin-1"), content[10 + size :]
    shapes = ["(10000000000,)", "(-1,)", "(2, 3", "()", "(1,) * 9", "(9" + "9" * 400 + ",)", "(1e3,)", "(0, 9)"]
    changes = [
        (r"'shape': \([^)]*\)", f"'shape': {chance.choice(shapes)}"),
        (
            r"'descr': '[^']*'",
            f"'descr': {chance.choice(['|O', '<U900000000', '<f16', '<M8[s]', '|V9', '<f0', 'x', '<c16'])!r}",
        ),
        ("False", chance.choice(["True", "0", "[" * 500])),
        (r"\{", "{" * chance.choice([2, 300])),
        ("'descr'", "__import__('os').system('touch escaped')"),
    ]
    pattern, text = chance.choice(changes)
    changed = re.sub(pattern, lambda _: text, header, count=1).encode("latin-1")
    return content[:8] + struct.pack("<H", min(len(changed), 65535)) + changed + values


def zip_archive(content: bytes, chance: random.Random) -> bytes:
    """Change a member of a zip archive, leave it out, or make it a bomb."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(members))
    method = chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
    way = chance.random()
    if way < 0.1:
        del members[name]
    elif way < 0.15:
        members[name] = bytes(chance.choice([10**6, 10**8]))
        method = zipfile.ZIP_DEFLATED
    elif way < 0.2:
        members[chance.choice(["../escaped", "/tmp/escaped", "x.npy", "assets/x"])] = b"x"
    else:
        special = KINDS.get(Path(name).suffix)
        members[name] = (special if special and chance.random() < 0.7 else any_bytes)(members[name], chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method, compresslevel=1 if method == zipfile.ZIP_DEFLATED else None) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return stream.getvalue()


def pickled(content: bytes, chance: random.Random) -> bytes:
    """Insert instructions of pickles, among them those that call functions."""
    chosen = [
        b"cos\nsystem\n(S'touch escaped'\ntR.",
        b"]" * chance.choice([10, 10**6]),
        b"(" * chance.choice([10, 10**5]),
        b"h\x00" * chance.choice([3, 10**5]),
        b"}" * 100,
        b"0",
        b"t",
        b"u",
        b"s",
        b"b",
        b"R",
        b"\x85",
        b"\x93",
        b"K\x00",
        b"X\xff\xff\xff\x7fabc",
        b"I" + b"9" * 5000 + b"\n",
        b"Nq\xff",
        b"\x94",
        b"e",
        b"a",
    ]
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 3])):
        place = chance.randrange(len(data) + 1)
        data[place:place] = chance.choice(chosen)
    return bytes(data)


def table(content: bytes, chance: random.Random) -> bytes:
    """Change a block of a table, and make its checksum right."""
    offset = place = 0
    footer = content[-48:]
    numbers = []
    for _ in range(4):
        number, place = _varint(footer, place)
        numbers.append(number)
    index = numbers[2], numbers[3]
    places = [index]
    block = content[index[0] : index[0] + index[1]]
    if content[sum(index)] == 0:  # Where it is not compressed, the handles of the others can be told.
        for match in re.finditer(rb"[\x00-\xff]{2,9}", block):
            offset, after = _varint(match[0], 0)
            size, _ = _varint(match[0], after) if after < len(match[0]) else (0, 0)
            if size > 0 and offset + size + 5 <= len(content) - 48:
                places.append((offset, size))
                break
    places.append((0, min(numbers[0] - 5, len(content) - 53) if numbers[0] > 5 else index[0]))
    offset, size = chance.choice(places)
    size = max(0, min(size, len(content) - offset - 53))
    data = bytearray(content)
    changed = bytearray(any_bytes(bytes(data[offset : offset + size]), chance)[:size].ljust(size, b"\0"))
    data[offset : offset + size] = changed
    checksum = google_crc32c.value(bytes(data[offset : offset + size + 1]))
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    data[offset + size + 1 : offset + size + 5] = masked.to_bytes(4, "little")
    return bytes(data)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(data):
        number |= (data[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 128:
            break
    return number, place


def lines(content: bytes, chance: random.Random) -> bytes:
    """Change a cell, a line or the header of a table of text."""
    rows = content.decode("utf-8", "replace").split("\n")
    for _ in range(chance.choice([1, 1, 3])):
        place = chance.randrange(len(rows))
        way = chance.choice(["cell", "cell", "cell", "drop", "double", "quote", "empty", "long", "header"])
        if way == "cell":
            separator = chance.choice([",", ",", " ", "="])
            cells = rows[place].split(separator)
            cells[chance.randrange(len(cells))] = str(_value(chance)).replace("\ud800", "?")
            rows[place] = separator.join(cells)
        elif way == "drop":
            del rows[place]
            rows = rows or [""]
        elif way == "double":
            rows.insert(place, rows[place])
        elif way == "quote":
            rows[place] = rows[place].replace(",", '",', 1)
        elif way == "empty":
            rows[place] = ""
        elif way == "long":
            rows[place] += "x" * chance.choice([300, 200_000])
        else:
            rows[0] = rows[-1]
    return "\n".join(rows).encode()


def picture(content: bytes, chance: random.Random) -> bytes:
    """Put another format in a picture's place, some of which run programs; or say that it is huge."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and chance.random() < 0.5:
        import zlib

        header = struct.pack(">II", *(chance.choice([0, 1, 9000, 60_000, 2**31 - 1]) for _ in range(2)))
        chunk = b"IHDR" + header + content[24:29]
        return content[:12] + chunk + struct.pack(">I", zlib.crc32(chunk)) + content[33:]
    others = [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(escaped) (w) file closefile\nshowpage\n",
        b"P6 100000 100000 255\n",
        b"P5\n2 2\n65535\n12345678",
        b"GIF89a\xff\xff\xff\xff\xf7\0\0",
        b"BM" + bytes(60),
        b"II*\0\x08\0\0\0\xff\xff",
        b"RIFF\xff\xff\xff\x7fWEBPVP8 ",
    ]
    return chance.choice(others)


def sound(content: bytes, chance: random.Random) -> bytes:
    """Change the numbers of a WAV's header."""
    data = bytearray(content)
    place, width = chance.choice([(4, 4), (16, 4), (20, 2), (22, 2), (24, 4), (28, 4), (32, 2), (34, 2), (40, 4)])
    number = chance.choice([0, 1, 2, 3, 17, 64, 255, 1024, 8000, 65535, 2**31 - 1, 2**32 - 1])
    data[place : place + width] = (number % 256**width).to_bytes(width, "little")
    return bytes(data)


def graph(content: bytes, chance: random.Random) -> bytes:
    """Change an operation of a graph or of a SavedModel: what it is, what it reads, a length, a type."""
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved, single = SavedModel(), GraphDef()
    if content[:1] == b"\x08":
        saved.ParseFromString(content)
        found = [each.graph_def for each in saved.meta_graphs]
        nodes = [node for each in found for node in each.node]
        nodes += [node for each in found for function in each.library.function for node in function.node_def]
    else:
        single.ParseFromString(content)
        nodes = list(single.node)
    for _ in range(chance.choice([1, 1, 2, 5])):
        _change_node(chance.choice(nodes), chance)
    return saved.SerializeToString() if saved.meta_graphs else single.SerializeToString()


def _change_node(node, chance: random.Random) -> None:
    lengths = [-1, -2, 0, 1, 3, 10**5, 10**10, 2**62]
    way = chance.choice(["op", "name", "input", "attribute", "attribute", "attribute", "attribute"])
    if way == "op":
        node.op = chance.choice(["ReadFile", "WriteFile", "PyFunc", "MatMul", "Fill", "Nothing", "While", "Reshape"])
    elif way == "name":
        node.name = chance.choice(["", "x", node.name + "/", "é", node.name * 50])
    elif way == "input" and node.input:
        node.input[chance.randrange(len(node.input))] = chance.choice(["", "nothing", node.name, "^x", "a:9", "a:b"])
    elif node.attr:
        attribute = node.attr[chance.choice(sorted(node.attr))]
        for shape in [attribute.shape, *attribute.list.shape, attribute.tensor.tensor_shape]:
            if shape.dim and chance.random() < 0.7:
                chance.choice(shape.dim).size = chance.choice(lengths)
        if attribute.HasField("type"):
            attribute.type = chance.choice([0, 1, 2, 7, 20, 21, 23, 101, 9999])
        if attribute.HasField("tensor"):
            attribute.tensor.dtype = chance.choice([attribute.tensor.dtype, 0, 1, 3, 7, 9, 20, 9999])
            attribute.tensor.tensor_content = any_bytes(attribute.tensor.tensor_content, chance)
        for place in range(len(attribute.list.i)):
            attribute.list.i[place] = chance.choice([attribute.list.i[place], *lengths])
        if attribute.HasField("i"):
            attribute.i = chance.choice(lengths)
        if attribute.HasField("s"):
            attribute.s = any_bytes(attribute.s, chance)


#: What damages files of a kind, by their endings.
KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".json": json_text,
    ".npy": array,
    ".npz": zip_archive,
    ".keras": zip_archive,
    ".pckl": pickled,
    ".index": table,
    ".ckpt": table,
    ".csv": lines,
    ".ctm": lines,
    ".textgrid": lines,
    ".txt": lines,
    ".toml": lines,
    ".0": json_text,  # Claims of an experiment.
    ".png": picture,
    ".jpg": picture,
    ".wav": sound,
    ".pb": graph,
}
