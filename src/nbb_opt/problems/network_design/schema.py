"""Tables and columns of a network design instance, and of its result."""

from __future__ import annotations

from nbb_opt.instance.schema import Column, Table

PROBLEM = "network_design"
# key of instance.toml -> what it says; each is a text
META: dict[str, str] = {
    "problem": f'"{PROBLEM}"',
    "name": "short name of small letters, digits, - and _",
    "title": "what people read",
    "version": "of the data",
    "licence": "of the data; `not stated` where none is",
    "description": "where the figures come from and what they mean",
}
_MOST = 1e12


def _amount(name: str, meaning: str, unit: str, low: float) -> Column:
    return Column(name, "number", meaning, unit, low=low, high=_MOST)


TABLES: tuple[Table, ...] = (
    Table("nodes", "a place", ("node",), (Column("node", "id", "name of the place"),)),
    Table(
        "arcs",
        "a one-way connection that may be opened; several may join the same places",
        ("arc",),
        (
            Column("arc", "id", "name of the arc"),
            Column("from_node", "ref", "where it starts", target="nodes.node"),
            Column("to_node", "ref", "where it ends", target="nodes.node"),
            _amount("cost_eur_per_t", "cost of each tonne on it", "EUR/t", 0.0),
            _amount("capacity_t", "most it carries, all commodities together", "t", 1e-6),
            _amount("fixed_eur", "cost of opening it", "EUR", 0.0),
        ),
    ),
    Table(
        "commodities",
        "an amount to be carried from one place to another; it may be split over paths",
        ("commodity",),
        (
            Column("commodity", "id", "name of the commodity"),
            Column("origin", "ref", "where it starts", target="nodes.node"),
            Column("destination", "ref", "where it ends", target="nodes.node"),
            _amount("demand_t", "how much", "t", 1e-6),
        ),
    ),
)
# a solution, from this engine or any other: arcs that are opened, and flows above zero
RESULTS: tuple[Table, ...] = (
    Table("opened", "an arc that is opened", ("arc",), (Column("arc", "id", "name of the arc"),)),
    Table(
        "flows",
        "what a commodity carries on an arc",
        ("arc", "commodity"),
        (
            Column("arc", "id", "name of the arc"),
            Column("commodity", "id", "name of the commodity"),
            _amount("carried_t", "how much", "t", 0.0),
        ),
    ),
)
