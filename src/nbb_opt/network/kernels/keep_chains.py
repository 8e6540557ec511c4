"""Kernels that keep the chains of one origin as they are found, without those that another outclasses.

A chain is known by its main part, last transfer and last leg (see legs and parts). Another chain of its goal outclasses
it if it is larger in no sum, uses no limited thing more often and needs no other project; of equal ones the first
stays. What outclassed a chain may be outclassed itself: then so is the first, so that the order does not matter.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from nbb_opt.network.kernels.compiled import lean
from nbb_opt.network.kernels.find_legs import NONE, longer, longer_rows, mixed
from nbb_opt.network.kernels.look_at_steps import comes_back
from nbb_opt.network.kernels.number_parts import write_chain

N_KEPT, N_THINGS, N_SEEN = range(3)  # what Kept.size holds
NOTHING, RETURNS, OUTCLASSED = range(3)  # what is left out: also chains that come back, also those outclassed


class Kept(NamedTuple):
    """Chains of one origin. Chain c has key[c] = goal, main part, last transfer, last leg; the limited things it uses
    and projects it needs are things[first_thing[c]] to things[first_thing[c] + n_things[c]]; after[c] is the next of
    its goal.

    seen, table: the keys of all chains met; head, tail, n_found (goals,): first and last kept, and how many were met.
    """

    key: np.ndarray
    sums: np.ndarray
    first_thing: np.ndarray
    n_things: np.ndarray
    things: np.ndarray
    after: np.ndarray
    seen: np.ndarray
    table: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    n_found: np.ndarray
    size: np.ndarray


class Scratch(NamedTuple):
    """Room for one chain: its sums, things and steps; marks (things,) all zero; seen as for steps.comes_back, with how
    many chains were looked at; rows (patterns, 5) and trail (patterns, 2) of its main parts."""

    sums: np.ndarray
    things: np.ndarray
    steps: np.ndarray
    marks: np.ndarray
    seen: np.ndarray
    looked_at: np.ndarray
    rows: np.ndarray
    trail: np.ndarray


@njit(cache=True, nogil=True)
def none_kept(n_goals, n_weights):
    return Kept(
        np.empty((64, 4), np.int32), np.empty((64, n_weights)), np.empty(64, np.int32), np.empty(64, np.int32),
        np.empty(256, np.int32), np.empty(64, np.int32), np.empty((256, 4), np.int32), np.full(512, NONE, np.int32),
        np.full(n_goals, NONE, np.int32), np.full(n_goals, NONE, np.int32), np.zeros(n_goals, np.int64),
        np.zeros(3, np.int64),
    )  # fmt: skip


@lean
def _slot(table, seen, key):
    hashed = np.uint64(1)
    for i in range(4):
        hashed = mixed(hashed, key[i])
    mask = table.size - 1
    slot = np.int64(hashed & np.uint64(mask))
    while table[slot] >= 0:
        known = seen[table[slot]]
        if known[0] == key[0] and known[1] == key[1] and known[2] == key[2] and known[3] == key[3]:
            break
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def room_to_keep(kept, more, most_things):
    """The same chains with room for `more` of at most so many things."""
    key, sums, first_thing, n_things, things = kept.key, kept.sums, kept.first_thing, kept.n_things, kept.things
    after, seen, table = kept.after, kept.seen, kept.table
    n = kept.size[N_KEPT] + more
    if n > after.size:
        key, sums = longer_rows(key, 2 * n), longer_rows(sums, 2 * n)
        first_thing, n_things, after = longer(first_thing, 2 * n), longer(n_things, 2 * n), longer(after, 2 * n)
    n = kept.size[N_THINGS] + more * most_things
    if n > things.size:
        things = longer(things, 2 * n)
    n = kept.size[N_SEEN] + more
    if n > seen.shape[0] or 2 * n > table.size:
        seen = longer_rows(seen, 2 * n)
        size = 2
        while size < 4 * n:
            size *= 2
        table = np.full(size, NONE, np.int32)
        for i in range(kept.size[N_SEEN]):
            table[_slot(table, seen, seen[i])] = i
    return Kept(
        key, sums, first_thing, n_things, things, after, seen, table, kept.head, kept.tail, kept.n_found, kept.size
    )


@lean
def _list_thing(network, thing, things, n):
    if thing >= network.first_project:
        for i in range(n):
            if things[i] == thing:
                return n
    things[n] = thing
    return n + 1


@lean
def _describe(network, legs, own, parts, part, leave, last, sums, things):
    """Fill sums (weights,) and things of a chain; give how many things there are."""
    n = 0
    if part < 0:
        for w in range(sums.size):
            sums[w] = own.sums[last, w]
        use = own.uses[last]
        while use >= 0:
            n = _list_thing(network, own.thing[use], things, n)
            use = own.use_before[use]
        return n
    for w in range(sums.size):
        sums[w] = parts.sums[part, w] + network.transfer_sums[leave, w] + legs.sums[last, w]
    use = parts.uses[part]
    while use >= 0:
        n = _list_thing(network, parts.thing[use], things, n)
        use = parts.use_before[use]
    for thing in network.transfer_things[leave]:
        if thing >= 0:
            n = _list_thing(network, thing, things, n)
    use = legs.uses[last]
    while use >= 0:
        n = _list_thing(network, legs.thing[use], things, n)
        use = legs.use_before[use]
    return n


@lean
def _no_more(sums, than):
    no_more = True
    w = 0
    while no_more and w < sums.size:
        no_more = sums[w] <= than[w]
        w += 1
    return no_more


@lean
def _all_among(some, things, marks):
    """Whether every one of `some` is among `things`, as often at least."""
    if some.size > things.size:
        return False
    for thing in things:
        marks[thing] += 1
    n = 0
    inside = True
    while n < some.size and inside:
        marks[some[n]] -= 1
        inside = marks[some[n]] >= 0
        n += 1
    for i in range(n):
        marks[some[i]] += 1
    for thing in things:
        marks[thing] -= 1
    return inside


@lean
def consider(network, legs, own, parts, origin, goal, part, leave, last, leave_out, kept, scratch):
    """Keep a chain if it is new and not to be left out: NOTHING, RETURNS to a place on the same side, or also those
    OUTCLASSED by another of its goal.

    It replaces those it outclasses; a chain all by road (no main part) always stays. There must be room for one more.
    """
    n = kept.size[N_SEEN]
    kept.seen[n, 0], kept.seen[n, 1], kept.seen[n, 2], kept.seen[n, 3] = goal, part, leave, last
    slot = _slot(kept.table, kept.seen, kept.seen[n])
    if kept.table[slot] >= 0:
        return
    kept.table[slot] = n
    kept.size[N_SEEN] += 1
    kept.n_found[goal] += 1
    n_things = _describe(network, legs, own, parts, part, leave, last, scratch.sums, scratch.things)
    things = scratch.things[:n_things]
    if leave_out == OUTCLASSED and part >= 0:
        c = kept.head[goal]
        while c >= 0:
            if _no_more(kept.sums[c], scratch.sums):
                first = kept.first_thing[c]
                if _all_among(kept.things[first : first + kept.n_things[c]], things, scratch.marks):
                    return
            c = kept.after[c]
    size = write_chain(legs, own, parts, part, leave, last, scratch.steps)
    scratch.looked_at[0] += 1
    if leave_out != NOTHING and comes_back(
        scratch.steps[:size], origin, network.arc_to, network.arc_layer, network.transfer_node, network.n_layers,
        scratch.seen, scratch.looked_at[0],
    ):  # fmt: skip
        return
    if leave_out == OUTCLASSED:
        before, c = NONE, kept.head[goal]
        while c >= 0:
            after, first = kept.after[c], kept.first_thing[c]
            if (
                kept.key[c, 1] >= 0 and _no_more(scratch.sums, kept.sums[c])
                and _all_among(things, kept.things[first : first + kept.n_things[c]], scratch.marks)
            ):  # fmt: skip
                if before < 0:
                    kept.head[goal] = after
                else:
                    kept.after[before] = after
                if after < 0:
                    kept.tail[goal] = before
            else:
                before = c
            c = after
    c = kept.size[N_KEPT]
    kept.size[N_KEPT] += 1
    for i in range(4):
        kept.key[c, i] = kept.seen[n, i]
    for w in range(scratch.sums.size):
        kept.sums[c, w] = scratch.sums[w]
    kept.first_thing[c], kept.n_things[c] = kept.size[N_THINGS], n_things
    for thing in things:
        kept.things[kept.size[N_THINGS]] = thing
        kept.size[N_THINGS] += 1
    kept.after[c] = NONE
    if kept.tail[goal] < 0:
        kept.head[goal] = c
    else:
        kept.after[kept.tail[goal]] = c
    kept.tail[goal] = c
