"""Words that agree with numbers."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number and a noun that agrees with it: ``1 metamer``, ``1,000 metamers``, ``2 categories``.

    Args:
        count: how many.
        noun: what, in the singular.
        plural: the plural, where it does not end in ``s``, or in ``ies`` for a ``y`` after a consonant.
    """
    if plural is None:
        plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
