"""Another engine: plain highspy solves the written-out problem of `tiny`; the plan is left as tables for `verify`.

`python tests/plain_highspy_on_tiny.py models/joint.lp FOLDER`
"""

import csv
import re
import sys
from pathlib import Path

import highspy

STEP = "chain step kind lane link mode_a mode_b terminal"
CHAINS = """0 MINE WEST ORE 0
1 MINE WEST ORE road,rail, RAIL_MINE_WEST rail,road,YARD_W
2 MINE WEST WOOD 1
3 WEST PLANT BOX 2
4 WEST PLANT BOX road,rail,YARD_W RAIL_WEST_GAP rail,rail, RAIL_GAP_EAST rail,road,YARD_E 3
5 PORTW PORTE FISH 4
6 PORTW PORTE FISH road,ferry,HARBOUR_W FERRY_PORTW_PORTE ferry,road,HARBOUR_E
7 EAST PLANT WOOD 5
8 PORTE PORTW PULP 6
9 PORTE PORTW PULP road,sea,HARBOUR_E SEA_PORTE_PORTW sea,road,HARBOUR_W"""
LANES = """0 dry_bulk MINE ROAD_MINE_WEST
1 timber MINE ROAD_MINE_WEST
2 container WEST ROAD_WEST_GAP;ROAD_GAP_EAST;ROAD_EAST_PLANT
3 container EAST ROAD_EAST_PLANT
4 break_bulk PORTW ROAD_WEST_PORTW;ROAD_WEST_GAP;ROAD_GAP_EAST;ROAD_EAST_PORTE
5 timber EAST ROAD_EAST_PLANT
6 neo_bulk PORTE ROAD_EAST_PORTE;ROAD_GAP_EAST;ROAD_WEST_GAP;ROAD_WEST_PORTW"""

highs = highspy.Highs()
highs.setOptionValue("mip_rel_gap", 0.0)
highs.readModel(sys.argv[1])
highs.run()
x = dict(zip(highs.getLp().col_names_, highs.getSolution().col_value, strict=True))


def rows_of(kind, *, whole=False):
    """Keys and values of the columns of one kind that are not zero."""
    found = [
        (*re.findall(r"[^(),]+", name)[1:], n) for name, n in x.items() if name.startswith(kind + "(") and n > 1e-6
    ]
    return [(*keys, round(n)) for *keys, n in found] if whole else found


def numbered(rows, names):
    """Rows with the number of a chain or lane in place of its name, which is the first four keys."""
    return [(names[tuple(keys[:4])], *keys[4:], n) for *keys, n in rows]


def step(part):
    """Cells of a lane, a transfer or a link."""
    if part.isdigit():
        return ["lane", part, "", "", "", ""]
    return ["transfer", -1, "", *part.split(",")] if "," in part else ["link", -1, part, "", "", ""]


def named(of):
    """The number of each by its name: what it joins, what it carries, and which it is among these."""
    seen, names = {}, {}
    for number, name in of:
        seen[name] = seen.get(name, 0) + 1
        names[*name, str(seen[name])] = number
    return names


chains = [line.split() for line in CHAINS.splitlines()]
lanes = [line.split() for line in LANES.splitlines()]
ENDS = ("WEST", "WEST", "PLANT", "PLANT", "PORTE", "PLANT", "PORTW")
chain_numbers = named((chain[0], tuple(chain[1:4])) for chain in chains)
lane_numbers = named((lane[0], (lane[2], end, lane[1])) for lane, end in zip(lanes, ENDS, strict=True))
new = [(region, vehicle, year, year, n, n) for region, vehicle, year, n in rows_of("bought", whole=True)]
tables = {
    ("chains", "chain origin destination commodity"): [chain[:4] for chain in chains],
    ("chain_steps", STEP): [[chain[0], i, *step(part)] for chain in chains for i, part in enumerate(chain[4:])],
    ("lanes", "lane cargo_type from_node links"): lanes,
    ("flows", "chain year tonnes"): numbered(rows_of("carried_t"), chain_numbers),
    ("driven", "lane vehicle year loaded_vkm"): numbered(rows_of("driven_vkm"), lane_numbers),
    ("empties", "from_region to_region vehicle cargo_type year empty_vkm"): rows_of("empty_vkm"),
    ("fleet", "fleet_region vehicle vintage_year year bought kept"): new
    + [(*keys, 0, n) for *keys, n in rows_of("kept", whole=True)],
    ("chargers", "charge_area charger year installed"): rows_of("installed", whole=True),
    ("projects", "project year in_service"): rows_of("built", whole=True),
}
for (name, columns), rows in tables.items():
    path = Path(sys.argv[2], f"{name}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns.split(), *rows])
