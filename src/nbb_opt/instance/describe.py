"""`instances/SCHEMA.md`, rendered from the schema and the rules so that it cannot fall behind them."""

from __future__ import annotations

from nbb_opt.instance.cells import SMALLEST
from nbb_opt.instance.package import MAX_TABLE_BYTES, MAX_ZIP_BYTES, MAX_ZIP_RATIO
from nbb_opt.instance.rules import RULES
from nbb_opt.instance.schema import EFFECT_COLUMNS, META_KEYS, TABLES, Column, Table
from nbb_opt.instance.tables.parquet_file import MAX_CELLS
from nbb_opt.instance.wording import number
from nbb_opt.instance.workbook.sheets import MOST_OD_ROWS

# table -> a complete smallest case, beside the vehicles, prices and factors of the template
FIRST_CASE = {
    "fleet_regions": """fleet_region,name,country,hub_node,charge_area,source,note
HOME,Depot in town,SE,TOWN,C_UME,general_knowledge,the only depot""",
    "nodes": """node,name,country,lat,lon,kind,is_zone,fleet_region,charge_area,unlocode,nuts3,source,note
TOWN,Town,SE,63.8,20.3,town,true,HOME,C_UME,,,general_knowledge,read off a map
MILL,Sawmill,SE,64.6,18.7,plant,true,HOME,,,,general_knowledge,read off a map""",
    "links": """\
link,from_node,to_node,two_way,mode,country,distance_km,time_h,capacity_t_per_year,\
capacity_link,gauge_mm,electrified_share,axle_load_t,max_gross_t,\
toll_eur_per_vkm,charge_eur_per_t,project,corridor,source,note
ROAD,MILL,TOWN,true,road,SE,130,1.9,,,,,,74,0,0,,,general_knowledge,read off a map""",
    "fleet": """fleet_region,vehicle,vintage_year,vehicles,source,note
HOME,DIESEL,2022,2,general_knowledge,what is owned today""",
    "commodities": """commodity,name,nst2007,cargo_type,value_of_time_eur_per_t_h,modes,source,note
BOARDS,Sawn timber,,timber,0.1,road,general_knowledge,as roundwood""",
    "od": """origin,destination,commodity,year,tonnes
MILL,TOWN,BOARDS,2026,40000
MILL,TOWN,BOARDS,2030,45000""",
}  # fmt: skip


def _first_case() -> str:
    return "".join(f"\n`{name}.csv`\n\n```csv\n{text}\n```\n" for name, text in FIRST_CASE.items())


_INTRODUCTION = f"""# The tables of an instance

Rendered from `src/nbb_opt/instance/schema.py`; do not edit. An instance is a folder (or a .zip of one) with
`instance.toml` and one file per table, or a workbook with one sheet per table. `nbb-opt check <instance>` names every
fault at once: the place, what is wrong, and the likely fix.

## A first case

Six tables are about your own freight: `nodes` (places and crossings), `links` (roads between them), `fleet_regions`
(where trucks are based), `fleet` (trucks owned today), `commodities` (what is carried) and `od` (how much, from where
to where). Prices, emission factors, vehicles, chargers and grid connections can be those of a template:

```sh
nbb-opt new first --from haulier
cd first
rm README.md gradients.csv opening_hours.csv policies.csv project*.csv scenarios.csv
rm terminals.csv transfers.csv handling_costs.csv shift*.csv charging_hours.csv
grep -vE '^(links|commodities|gradients|opening_hours|projects|policies|handling_costs),' ranges.csv > most.txt
grep -vE '^charging_hours,' most.txt > kept.txt
rm most.txt
mv kept.txt ranges.csv
```

Write the six over those of the template; this is the smallest case that is solved. Then: `nbb-opt check first`,
`nbb-opt solve first`. Rail, sea and ferry need `terminals`, `transfers` and `handling_costs` too; `projects` are what
could be built, `policies` caps and bans.
{_first_case()}
## Files

- A table is `<table>.csv` or `<table>.parquet`, not both. Tables marked *optional* may be left out. File
  names, columns and keys that are not known are errors, so that a slip of the pen is never passed over.
- **CSV**: commas, UTF-8 (a byte order mark is accepted), a header row, one line per row, decimals with a
  point, no thousands separators, `true` or `false`. Faults are named by line: the header is row 1.
- **Files of other programs** (semicolons or tabs, decimal commas, spaces in thousands, Windows-1252 or UTF-16, `TRUE`,
  `1435.0`, sheets without a row of units, Parquet of pandas, polars or Spark): `nbb-opt convert mine mine-tidy` reads
  them, says in a line each what it assumed, and writes the instance as above, or one table of it:
  `nbb-opt convert links.csv tidy/links.csv`. A cell that may mean two numbers (`1.234`, where nothing shows the decimal
  sign) is refused until `--decimal` says which.
- **Parquet**: the same columns as text, numbers, whole numbers and bools; a null is a blank. Write it with page
  checksums (pyarrow: `write_page_checksum=True`), which are verified; without them the instance needs a checksum
  manifest. Rows are counted from 1. Use it for large demand.
- **Excel**: a workbook (.xlsx) is an instance too; `nbb-opt new mine.xlsx --from haulier` writes one to fill in. It
  has a sheet for each table: names of the columns in row 1, units in row 2, rows from 3 on. The sheets `settings` and
  `periods` stand for `instance.toml`; `README` is not read. Faults are named by cell (`links!G7`). Formulas, dates,
  error values, merged cells, hidden sheets, rows and columns, and text beside or under a table are refused. At most
  {MOST_OD_ROWS} rows in `od`.
- At most {MAX_TABLE_BYTES // 2**20} MiB for a table other than `od`, {MAX_CELLS // 10**6} million cells in
  `od`. A .zip unpacks to at most {MAX_ZIP_BYTES // 2**30} GiB and {MAX_ZIP_RATIO} times its size, holds plain
  names only, and is read in memory.
- `datapackage.json` (optional, written by `nbb-opt manifest`) lists the sha256, size and rows of every data file.
  If it is there, all must match.
- Beside them an instance may hold `*.md`, `*.txt`, `LICENSE*`, `NOTICE*`, `*.py`, `expected.toml`, `plan*.csv` and
  the folders `build`, `docs` and `scenarios` (a file `NAME.toml` for each what-if: `title`, `reason`, `source` and
  `changes`, a list of statements such as `country_years.carbon_price_eur_per_t[year>=2030] = 200`).

## Cells

- A *name* (kind `id`) may not hold `;`, `/`, `*` or `"`, nor start with `=`, `+`, `-` or `@`; no two of a column
  differ only by upper and lower case or by letters of other scripts that look alike. Lists are joined by `;`.
- A column marked *optional* may be left out of the file; that is the same as leaving all its cells blank.
- A blank is an error unless the column below says what it means.
- A number is 0 or at least {number(SMALLEST)} away from it. **Bounds** are hard. **Plausible** is the range in which
  figures usually lie; a value outside it is an error too (it is mostly a slip of unit) unless the note of the row
  holds `plausible:` and the reason.
- Tables *by year*, and `od`, hold values for some years: between the years of its own key (`od`: of its own flow and
  shipper) a value is linear, outside them there is none. Every period's start year must lie between (or on) given
  years of every key; what starts later or ends earlier has rows of 0. Rows of another key change nothing.
- The order of rows in a file means nothing: tables are sorted by their keys when they are read.
- Every figure has a `source`, a row of `sources`. Where it is `assumption` the note gives the reason and
  `ranges` says how far it may be off.
"""


def describe() -> str:
    """The whole of `instances/SCHEMA.md`."""
    parts = [_INTRODUCTION, _meta()]
    parts += [_table(table) for table in TABLES]
    parts.append(_rules())
    return "\n".join(parts)


def _meta() -> str:
    lines = ["## instance.toml", "", "| key | meaning |", "|---|---|"]
    lines += [f"| `{key}` | {meaning} |" for key, meaning in META_KEYS.items()]
    lines += ["", "Periods follow each other: the year of one is the year of the one before plus its `years`.", ""]
    return "\n".join(lines)


def _table(table: Table) -> str:
    marks = [mark for mark, holds in (("optional", table.optional), ("by year", table.by_year)) if holds]
    title = f"## {table.name}" + (f" ({', '.join(marks)})" if marks else "")
    head = ["| column | meaning | kind | unit | bounds | plausible | blank |", "|---|---|---|---|---|---|---|"]
    key = f"Key: {', '.join(f'`{name}`' for name in table.key)}."
    rows = [_row(column) for column in table.columns]
    extra = []
    if table.name == "project_effects":
        pairs = ", ".join(f"`{name}.{column}`" for name, column in EFFECT_COLUMNS.items())
        extra = ["", f"What can be changed: {pairs}."]
    return "\n".join([title, "", f"One row is {table.row_is}. {key}", "", *head, *rows, *extra, ""])


def _row(column: Column) -> str:
    kind = {
        "id": "name",
        "integer": "whole number",
        "ref": f"one of `{column.target}`",
        "refs": f"list of `{column.target}`",
        "choice": "one of " + ", ".join(f"`{option}`" for option in column.options),
        "choices": "list of " + ", ".join(f"`{option}`" for option in column.options),
    }.get(column.kind, column.kind)
    bounds = _span(column.low, column.high)
    plausible = _span(column.plausible_low, column.plausible_high)
    name = f"`{column.name}`" + (" (optional)" if column.optional else "")
    cells = [name, column.meaning, kind, column.unit, bounds, plausible, column.blank or ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{number(low)} to {number(high)}"


def _rules() -> str:
    lines = ["## Rules across cells", ""]
    lines += [f"- `{one.name}`: {one.demands}" for one in RULES.values()]
    return "\n".join(lines) + "\n"
