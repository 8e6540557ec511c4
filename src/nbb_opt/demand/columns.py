"""The columns of OD rows, and what may stand in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nbb_opt.errors import InstanceError, Problem

COLUMNS = ("origin", "destination", "commodity", "year", "tonnes")
IDS = COLUMNS[:3]
SHIPPER = "shipper"  # an instance may name it: flows are added up over shippers, only its emissions are split by them

AS_WRITTEN = " as written"  # ends the name of a column that keeps the text of numbers read from text


def check_names(file: str, names: Sequence[str], *, optional: Sequence[str] = ()) -> None:
    """Raise InstanceError with every column that is missing, given twice, or neither of COLUMNS nor `optional`."""
    problems = []
    for name in COLUMNS:
        if name not in names:
            problems.append(Problem(f"{file}, column {name}", "is missing", f"it has {', '.join(names)}"))
    for name in dict.fromkeys(names):
        if list(names).count(name) > 1:
            problems.append(Problem(f"{file}, column {name}", "stands twice", "keep one of them"))
        elif name not in (*COLUMNS, *optional):
            problems.append(Problem(f"{file}, column {name}", "is not in the schema", "remove it"))
    if problems:
        raise InstanceError(problems)


def check_columns(file: str, schema: pa.Schema, given: Sequence[str] = (), *, optional: Sequence[str] = ()) -> None:
    """As `check_names`, and columns of another type than theirs. `given` are columns that stand elsewhere than in the
    file, such as in the names of its folders."""
    check_names(file, [*schema.names, *given], optional=optional)
    problems = []
    for name in COLUMNS:
        if name in given:
            continue
        kind = schema.field(name).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        whole = pa.types.is_integer(value) and not pa.types.is_uint64(value)
        if name in IDS:
            good, want = pa.types.is_string(value) or pa.types.is_large_string(value) or whole, "text or whole numbers"
        elif name == "year":
            good, want = whole, "an integer"
        else:
            good, want = pa.types.is_floating(kind) or pa.types.is_integer(kind), "a number"
        if not good:
            problems.append(Problem(f"{file}, column {name}", f"is of type {kind}", f"it must be {want}"))
    if problems:
        raise InstanceError(problems)


def as_numpy(cells: pa.Array) -> np.ndarray:
    """Numbers without blanks, not copied. Unlike pyarrow's own to_numpy this imports no pandas, which takes 50 MB."""
    return np.from_dlpack(cells)


def cell(batch: pa.RecordBatch, column: str, row: int) -> object:
    """A cell as it was written: as text, if the batch keeps the text of the column beside its values."""
    written = f"{column}{AS_WRITTEN}"
    return batch.column(written if written in batch.schema.names else column)[row].as_py()
