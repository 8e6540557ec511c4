"""Kernels that look at the steps of chains: an arc, or -1 - row of transfers.csv."""

import numpy as np

from nbb_opt.compiling import kernel, lean_kernel


@lean_kernel
def comes_back(code, origin, arc_to, arc_layer, transfer_node, n_layers, seen, mark):
    """Whether a chain of steps `code` is twice at one place on one side; layer 0 is the road, `origin` a node.

    seen (nodes x layers,) holds no `mark` before and may hold it afterwards.
    """
    seen[origin * n_layers] = mark
    for i in range(code.size):
        if code[i] >= 0:
            at = arc_to[code[i]] * n_layers + arc_layer[code[i]]
        else:
            side = arc_layer[code[i + 1]] if i + 1 < code.size and code[i + 1] >= 0 else 0
            at = transfer_node[-1 - code[i]] * n_layers + side
        if seen[at] == mark:
            return True
        seen[at] = mark
    return False


@kernel
def kinds(code, first, arc_layer, layer_mode):
    """Sequence of travelled modes as a number in base 5, the first mode lowest."""
    out = np.zeros(first.size - 1, dtype=np.int64)
    for c in range(first.size - 1):
        scale = 1
        for i in range(first[c], first[c + 1]):
            if code[i] >= 0 and (i == first[c] or code[i - 1] < 0):
                out[c] += scale * (layer_mode[arc_layer[code[i]]] + 1)
                scale *= 5
    return out


@kernel
def number_project_sets(code, first, arc_link, link_project, transfer_project, number):
    """Number the sets of projects that chains need, as they first occur: number (chains,), 0 for none.

    Gives the sets: set s has the rising projects cells[start[s]] to cells[start[s + 1]].
    """
    start, cells = np.zeros(66, dtype=np.int64), np.empty(256, dtype=np.int64)
    table = np.full(256, -1, dtype=np.int64)
    n_sets = 1
    for c in range(first.size - 1):
        s = start[n_sets]
        n = 0
        if s + first[c + 1] - first[c] > cells.size:
            more = np.empty(2 * (s + first[c + 1] - first[c]), dtype=np.int64)
            for k in range(s):
                more[k] = cells[k]
            cells = more
        for i in range(first[c], first[c + 1]):
            p = link_project[arc_link[code[i]]] if code[i] >= 0 else transfer_project[-1 - code[i]]
            if p < 0:
                continue
            at = n
            while at > 0 and cells[s + at - 1] > p:
                at -= 1
            if at > 0 and cells[s + at - 1] == p:
                continue
            for k in range(n, at, -1):
                cells[s + k] = cells[s + k - 1]
            cells[s + at] = p
            n += 1
        number[c] = 0
        if n == 0:
            continue
        slot = _set_slot(table, start, cells, cells[s : s + n])
        if table[slot] < 0:
            table[slot] = n_sets
            n_sets += 1
            if n_sets + 1 > start.size - 1:
                longer = np.zeros(2 * start.size, dtype=np.int64)
                for k in range(start.size):
                    longer[k] = start[k]
                start = longer
            start[n_sets] = s + n
            if 2 * n_sets > table.size:
                table = np.full(2 * table.size, -1, dtype=np.int64)
                for one in range(1, n_sets):
                    table[_set_slot(table, start, cells, cells[start[one] : start[one + 1]])] = one
            slot = _set_slot(table, start, cells, cells[s : s + n])
        number[c] = table[slot]
    return start[: n_sets + 1], cells[: start[n_sets]]


@lean_kernel
def _set_slot(table, start, cells, mine):
    mixed = np.uint64(1)
    for p in mine:
        mixed = (mixed ^ np.uint64(p)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    slot = np.int64(mixed & np.uint64(table.size - 1))
    while table[slot] >= 0:
        s = start[table[slot]]
        same = start[table[slot] + 1] - s == mine.size
        k = 0
        while same and k < mine.size:
            same = cells[s + k] == mine[k]
            k += 1
        if same:
            break
        slot = (slot + 1) & (table.size - 1)
    return slot


@kernel
def count_uses(code, first, arc_link, link_thing, transfer_thing, out):
    """How often every chain uses every thing: out (chains, things); a thing of -1 is not counted."""
    for c in range(first.size - 1):
        for i in range(first[c], first[c + 1]):
            thing = link_thing[arc_link[code[i]]] if code[i] >= 0 else transfer_thing[-1 - code[i]]
            if thing >= 0:
                out[c, thing] += 1


@kernel
def number_legs(code, first, cargo_type, table, number, start, size):
    """Number the legs as they first occur, for every cargo type on its own.

    cargo_type (chains,); `table` is a free hash table (-1) of at least twice as many cells as there are legs; number
    (steps,) is filled at the first step of a leg, else -1; start and size (legs,) say where a leg first stood. Gives
    how many there are.
    """
    n = 0
    mask = table.size - 1
    owner = np.empty(start.size, dtype=np.int64)
    for c in range(first.size - 1):
        i = first[c]
        while i < first[c + 1]:
            number[i] = -1
            if code[i] < 0:
                i += 1
                continue
            e = i
            mixed = np.uint64(cargo_type[c] + 1) * np.uint64(0x9E3779B97F4A7C15)
            while e < first[c + 1] and code[e] >= 0:
                mixed = (mixed ^ np.uint64(code[e])) * np.uint64(0x100000001B3)
                mixed ^= mixed >> np.uint64(29)
                number[e] = -1
                e += 1
            slot = np.int64(mixed & np.uint64(mask))
            while table[slot] >= 0:
                k = table[slot]
                if owner[k] == cargo_type[c] and size[k] == e - i:
                    same = True
                    for j in range(e - i):
                        if code[start[k] + j] != code[i + j]:
                            same = False
                            break
                    if same:
                        break
                slot = (slot + 1) & mask
            if table[slot] < 0:
                table[slot] = n
                start[n], size[n], owner[n] = i, e - i, cargo_type[c]
                n += 1
            number[i] = table[slot]
            i = e
    return n


@kernel
def group_alike(bundle, mode, first, lane, group):
    """Number the chains so that those of equal bundle, mode and lanes, in any order, have the same number.

    Chains of a bundle stand together; lane (steps,) is -1 where none starts; fills group (chains,).
    """
    cells = np.empty(lane.size, dtype=np.int64)
    start = np.zeros(bundle.size + 1, dtype=np.int64)
    n, begin = 0, 0
    for c in range(bundle.size):
        s, e = start[c], start[c]
        for i in range(first[c], first[c + 1]):
            if lane[i] < 0:
                continue
            at = e
            while at > s and cells[at - 1] > lane[i]:
                cells[at] = cells[at - 1]
                at -= 1
            cells[at] = lane[i]
            e += 1
        start[c + 1] = e
        if bundle[c] != bundle[begin]:
            begin = c
        group[c] = -1
        for other in range(begin, c):
            o = start[other]
            if mode[other] != mode[c] or start[other + 1] - o != e - s:
                continue
            same = True
            for k in range(e - s):
                if cells[o + k] != cells[s + k]:
                    same = False
                    break
            if same:
                group[c] = group[other]
                break
        if group[c] < 0:
            group[c] = n
            n += 1


@kernel
def distinct_legs(arcs, first, cargo_type):
    """Number of every leg, equal for equal arcs and cargo type; where each number first stands, and how many arcs.

    Leg i is arcs[first[i]] to arcs[first[i + 1]], never empty.
    """
    n_legs = first.size - 1
    room = 16
    while room < 2 * n_legs:
        room *= 2
    table = np.full(room, -1, dtype=np.int64)
    number = np.empty(arcs.size, dtype=np.int32)
    start, size = np.empty(n_legs, dtype=np.int64), np.empty(n_legs, dtype=np.int64)
    n = number_legs(arcs, first, cargo_type, table, number, start, size)
    return number[first[:-1]], start[:n], size[:n]


@kernel
def rows_of(cells, first, size):
    """The rows of `size` cells each that begin at `first`, one after the other."""
    out = np.empty(size.sum(), dtype=cells.dtype)
    n = 0
    for i in range(size.size):
        for k in range(size[i]):
            out[n] = cells[first[i] + k]
            n += 1
    return out


@kernel
def places_in_order(length, order):
    """Where rows of so many cells each begin in another order: (start, place of every row in that order)."""
    start = np.zeros(length.size + 1, dtype=np.int64)
    place = np.empty(length.size, dtype=np.int32)
    for i in range(length.size):
        start[i + 1] = start[i] + length[order[i]]
        place[order[i]] = i
    return start, place


@kernel
def put_rows(item, length, number, shift, place, start, out):
    """Put the rows of a batch where they belong: row i begins at start[place[i]]; numbers as in `with_numbers`."""
    n = 0
    for i in range(length.size):
        for k in range(length[i]):
            out[start[place[i]] + k] = number[item[n]] if item[n] >= 0 else item[n] - shift
            n += 1


@kernel
def changes_seen(item, n):
    """Which of `n` changes occur: item -1 - k stands for change k."""
    seen = np.zeros(n, dtype=np.bool_)
    for one in item:
        if one < 0:
            seen[-1 - one] = True
    return seen


@kernel
def with_numbers(item, number, shift):
    """Items of a batch with other numbers: number (legs,) of a leg, a change as many further on as `shift` says."""
    out = np.empty_like(item)
    for i in range(item.size):
        out[i] = number[item[i]] if item[i] >= 0 else item[i] - shift
    return out


@kernel
def with_places(item, place):
    """Items (int32) by their place: item i is place[i], and item -1 - k is place[-1 - k]. Works in `item` itself."""
    for i in range(item.size):
        item[i] = place[item[i]]
    return item


@kernel
def order_seen(cells, n):
    """The numbers 0 to n - 1 that occur in `cells`, as they first occur; negative cells are left out."""
    seen = np.zeros(n, dtype=np.bool_)
    order = np.empty(n, dtype=np.int64)
    count = 0
    for cell in cells:
        if cell >= 0 and not seen[cell]:
            seen[cell] = True
            order[count] = cell
            count += 1
    return order[:count]
