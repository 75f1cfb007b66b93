"""Zip archives, which are refused before they are unpacked if they hold more than expected."""

import zipfile


def check_members(archive: zipfile.ZipFile, max_bytes: int) -> None:
    """Refuse a zip archive that holds more than expected, before any of it is unpacked.

    Args:
        archive: the archive.
        max_bytes: the most that its files are expected to hold together.

    Raises:
        ValueError: they hold more, or one is compressed in a way that does not tell how much it holds.
    """
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise ValueError(f"it holds {total:,} bytes, and at most {max_bytes:,} were expected")
    # Python inflates other methods without a bound.
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("it is compressed in an unusual way")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a file of a zip archive, inflated to no more than its stated size.

    Raises:
        KeyError: there is no such file.
        ValueError: it is shorter than it says.
        Exception: it is damaged, of whatever kind the module raises.
    """
    size = archive.getinfo(name).file_size
    with archive.open(name) as stream:
        content = stream.read(size)  # Without a size, what is beyond it would be inflated, and then thrown away.
    if len(content) < size:
        raise ValueError(f"{name} is cut short")
    return content
