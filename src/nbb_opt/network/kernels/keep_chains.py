"""Kernels that keep the chains of one origin as they are found, without those that another dominates.

A chain is known by its main part, last transfer and last leg (see legs and parts). Another chain of its goal dominates
it if it is larger in no sum, uses no limited thing more often and needs no other project; of equal ones the first
stays. What dominated a chain may be dominated itself: then so is the first, so that the order does not matter.
"""

from typing import NamedTuple

import numpy as np

from nbb_opt.compiling import kernel, lean_kernel
from nbb_opt.network.kernels.find_legs import BEFORE, LAST_USE, NONE, THING, longer_rows, mixed
from nbb_opt.network.kernels.look_at_steps import comes_back
from nbb_opt.network.kernels.number_parts import PART_USE, write_chain

N_KEPT, N_THINGS, N_SEEN = range(3)  # what Kept.size holds
NOTHING, RETURNS, DOMINATED = range(3)  # what is left out: also chains that come back, also those dominated
GOAL, PART, LEAVE, LAST, COMES_BACK = range(5)  # columns of Kept.row and Kept.seen: the first four are the key
FIRST_THING, HOW_MANY_THINGS, AFTER = range(4, 7)  # further columns of Kept.row
HEAD, TAIL, N_FOUND = range(3)  # columns of Kept.of_goal


class Kept(NamedTuple):
    """Chains of one origin. Row c: goal, main part, last transfer, last leg; the limited things it uses and projects it
    needs are things[row[c, FIRST_THING]] and so on, HOW_MANY_THINGS of them; row[c, AFTER] is the next of its goal.

    seen, table: the keys of all chains met and whether they come back; of_goal (goals, 3): first and last kept, and how
    many were met.
    """

    row: np.ndarray
    sums: np.ndarray
    things: np.ndarray
    seen: np.ndarray
    table: np.ndarray
    of_goal: np.ndarray
    size: np.ndarray


class Scratch(NamedTuple):
    """Room for one chain: its sums, things and steps; marks (things,) all zero; seen as for look_at_steps.comes_back,
    with how many chains were looked at; row (6,) of a main part and trail (patterns, 2) of those before it."""

    sums: np.ndarray
    things: np.ndarray
    steps: np.ndarray
    marks: np.ndarray
    seen: np.ndarray
    looked_at: np.ndarray
    row: np.ndarray
    trail: np.ndarray


def none_kept(n_goals, n_weights):
    """No chains."""
    of_goal = np.full((n_goals, 3), NONE, np.int32)
    of_goal[:, N_FOUND] = 0
    return Kept(
        np.empty((64, 7), np.int32), np.empty((64, n_weights)), np.empty(256, np.int32),
        np.empty((256, 5), np.int32), np.full(512, NONE, np.int32), of_goal, np.zeros(3, np.int64),
    )  # fmt: skip


@lean_kernel
def _slot(table, seen, key):
    hashed = np.uint64(1)
    for i in range(COMES_BACK):
        hashed = mixed(hashed, key[i])
    mask = table.size - 1
    slot = np.int64(hashed & np.uint64(mask))
    while table[slot] >= 0:
        same = True
        for i in range(COMES_BACK):
            same = same and seen[table[slot], i] == key[i]
        if same:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def room_to_keep(kept, more, most_things):
    """The same chains with room for `more` of at most so many things."""
    row, sums, things, seen, table = kept.row, kept.sums, kept.things, kept.seen, kept.table
    n = kept.size[N_KEPT] + more
    if n > row.shape[0]:
        row, sums = longer_rows(row, 2 * n), longer_rows(sums, 2 * n)
    n = kept.size[N_THINGS] + more * most_things
    if n > things.size:
        things = longer_rows(things.reshape(-1, 1), 2 * n).reshape(2 * n)
    n = kept.size[N_SEEN] + more
    if n > seen.shape[0] or 2 * n > table.size:
        seen = longer_rows(seen, 2 * n)
        size = 2
        while size < 4 * n:
            size *= 2
        table = np.full(size, NONE, np.int32)
        for i in range(kept.size[N_SEEN]):
            table[_slot(table, seen, seen[i])] = i
    return Kept(row, sums, things, seen, table, kept.of_goal, kept.size)


@lean_kernel
def _list_thing(network, thing, things, n):
    if thing < 0:
        return n
    if thing >= network.first_project:
        for i in range(n):
            if things[i] == thing:
                return n
    things[n] = thing
    return n + 1


@lean_kernel
def _list_uses(network, use, last, things, n):
    while last >= 0:
        n = _list_thing(network, use[last, THING], things, n)
        last = use[last, BEFORE]
    return n


@lean_kernel
def _describe(network, legs, parts, part, leave, last, sums, things):
    """Fill sums (weights,) and things of a chain; give how many things there are."""
    n = 0
    for w in range(sums.size):
        sums[w] = legs.sums[last, w]
        if part >= 0:
            sums[w] = parts.sums[part, w] + network.transfer_sums[leave, w] + legs.sums[last, w]
    if part >= 0:
        n = _list_uses(network, parts.use, parts.row[part, PART_USE], things, n)
        for k in range(2):
            n = _list_thing(network, network.transfer_things[leave, k], things, n)
    return _list_uses(network, legs.use, legs.row[last, LAST_USE], things, n)


@lean_kernel
def _no_more(sums, than):
    no_more = True
    w = 0
    while no_more and w < sums.size:
        no_more = sums[w] <= than[w]
        w += 1
    return no_more


@lean_kernel
def _all_among(some, things, marks):
    """Whether every one of `some` is among `things`, as often at least."""
    if some.size > things.size:
        return False
    for i in range(things.size):
        marks[things[i]] += 1
    n = 0
    inside = True
    while n < some.size and inside:
        marks[some[n]] -= 1
        inside = marks[some[n]] >= 0
        n += 1
    for i in range(n):
        marks[some[i]] += 1
    for i in range(things.size):
        marks[things[i]] -= 1
    return inside


@lean_kernel
def _is_dominated(kept, head, scratch, n_things):
    c = head
    while c >= 0:
        first = kept.row[c, FIRST_THING]
        theirs = kept.things[first : first + kept.row[c, HOW_MANY_THINGS]]
        if _no_more(kept.sums[c], scratch.sums) and _all_among(theirs, scratch.things[:n_things], scratch.marks):
            return True
        c = kept.row[c, AFTER]
    return False


@lean_kernel
def _drop_dominated(kept, of_goal, scratch, n_things):
    before, c = NONE, of_goal[HEAD]
    while c >= 0:
        after, first = kept.row[c, AFTER], kept.row[c, FIRST_THING]
        theirs = kept.things[first : first + kept.row[c, HOW_MANY_THINGS]]
        no_worse = kept.row[c, PART] >= 0 and _no_more(scratch.sums, kept.sums[c])
        if no_worse and _all_among(scratch.things[:n_things], theirs, scratch.marks):
            if before < 0:
                of_goal[HEAD] = after
            else:
                kept.row[before, AFTER] = after
            if after < 0:
                of_goal[TAIL] = before
        else:
            before = c
        c = after


@lean_kernel
def consider(network, legs, parts, origin, goal, part, leave, last, leave_out, ask, kept, scratch):
    """Keep a chain if it is new and not to be left out: NOTHING, RETURNS to a place on the same side, or also those
    DOMINATED by another of its goal. If one will `ask`, gives whether it comes back.

    It replaces those it dominates; a chain all by road (no main part) always stays. There must be room for one more.
    """
    n = kept.size[N_SEEN]
    met = kept.seen[n]
    met[GOAL], met[PART], met[LEAVE], met[LAST], met[COMES_BACK] = goal, part, leave, last, 0
    slot = _slot(kept.table, kept.seen, met)
    if kept.table[slot] >= 0:
        return kept.seen[kept.table[slot], COMES_BACK] > 0
    kept.table[slot] = n
    kept.size[N_SEEN] += 1
    kept.of_goal[goal, N_FOUND] += 1
    n_things = _describe(network, legs, parts, part, leave, last, scratch.sums, scratch.things)
    of_goal = kept.of_goal[goal]
    dominated = leave_out == DOMINATED and part >= 0 and _is_dominated(kept, of_goal[HEAD], scratch, n_things)
    if dominated and not ask:
        return False
    size = write_chain(legs, parts, part, leave, last, scratch.steps)
    scratch.looked_at[0] += 1
    if leave_out != NOTHING and comes_back(
        scratch.steps[:size], origin, network.arc_to, network.arc_layer, network.transfer_node,
        network.first_arc.shape[0], scratch.seen, scratch.looked_at[0],
    ):  # fmt: skip
        met[COMES_BACK] = 1
        return True
    if dominated:
        return False
    if leave_out == DOMINATED:
        _drop_dominated(kept, of_goal, scratch, n_things)
    c = kept.size[N_KEPT]
    kept.size[N_KEPT] += 1
    row = kept.row[c]
    row[GOAL], row[PART], row[LEAVE], row[LAST] = goal, part, leave, last
    row[FIRST_THING], row[HOW_MANY_THINGS], row[AFTER] = kept.size[N_THINGS], n_things, NONE
    for w in range(scratch.sums.size):
        kept.sums[c, w] = scratch.sums[w]
    for i in range(n_things):
        kept.things[kept.size[N_THINGS] + i] = scratch.things[i]
    kept.size[N_THINGS] += n_things
    if of_goal[TAIL] < 0:
        of_goal[HEAD] = c
    else:
        kept.row[of_goal[TAIL], AFTER] = c
    of_goal[TAIL] = c
    return False
