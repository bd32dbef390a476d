"""The columns of a table of latents: which component each of them is, by its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ..errors import InputError


def component_order(names: Sequence[str]) -> list[int]:
    """Return the positions of the columns in the order of the components.

    Parameters
    ----------
    names : sequence of str
        One name per component with its number at the end, from 0 or from 1, in any order: ``z1, z2, ...``, or as
        ``matvae transform`` and ``get_feature_names_out`` number them.

    Raises
    ------
    InputError
        Naming the columns that are no components, occur twice or are missing.
    """
    stripped = [str(name).strip().strip('"') for name in names]
    matches = [re.fullmatch(r"(.*?)(\d+)", name) for name in stripped]
    prefixes = Counter(match[1] for match in matches if match is not None)
    prefix = prefixes.most_common(1)[0][0] if prefixes else ""
    unknown = [name for name, match in zip(stripped, matches, strict=True) if match is None or match[1] != prefix]
    if unknown:
        raise InputError(
            "Each column of latents is one component, with its number at the end of its name, such as "
            f"{prefix or 'z'}0, {prefix or 'z'}1, ..., but there {_are(unknown)}. Remove columns that "
            "are not components."
        )
    numbers = [int(match[2]) for match in matches if match is not None]
    first = min(numbers, default=0) and 1
    complete = range(first, first + len(numbers))
    if repeated := [f"{prefix}{number}" for number, count in sorted(Counter(numbers).items()) if count > 1]:
        raise InputError(f"Each column of latents is one component, but {', '.join(repeated)} occurs more than once.")
    if missing := [f"{prefix}{number}" for number in range(first, max(numbers, default=0)) if number not in numbers]:
        raise InputError(
            f"The components are numbered {prefix}{first}, {prefix}{first + 1}, ..., but the column "
            f"{', '.join(missing[:8])} is missing. Add it, or number the columns without gaps."
        )
    return [numbers.index(number) for number in complete]


def _are(names: Sequence[str]) -> str:
    return f"{'is' if len(names) == 1 else 'are'} also {', '.join(map(repr, names[:8]))}"
