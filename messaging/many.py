"""Ids in a question to the database, in few lengths.

A driver keeps each wording of a statement prepared, on every connection: portions of 1, 2, 3 … 150 texts would be that
many wordings of each statement, tens of megabytes that a long campaign fills little by little.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement

LENGTHS = (1, 8, 64, 192, 512)


def padded(ids: Collection[str]) -> list[str]:
    """The ids, the last one repeated up to the next of the lengths; none stays none."""
    found = sorted(ids)
    wanted = next((length for length in LENGTHS if length >= len(found)), len(found))
    return found + found[-1:] * (wanted - len(found))


def among(column: Any, ids: Collection[str]) -> ColumnElement[bool]:
    """Whether the column is one of these."""
    found: ColumnElement[bool] = column.in_(padded(ids))
    return found
