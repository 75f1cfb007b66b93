"""Memory sizes on the command line."""

import re

import click

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


class MemorySize(click.ParamType):
    """A number of bytes, such as ``500MB``, ``4GB`` or ``1.5GiB``."""

    name = "size"

    def convert(self, value, parameter, context):
        """Return the number of bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?", value.strip(), re.IGNORECASE)
        size = float(match[1]) * _UNITS[(match[2] or "").upper()] if match else 0
        if not 1 <= size < 2**63:
            self.fail(f"{value!r} is not a memory size; a number of bytes such as 500MB or 4GB was expected.")
        return int(size)
