"""Kernels that add up and look at the steps of chains: an arc, or -1 - row of transfers.csv."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_up(code, first, arc_link, links, transfers, out):
    """Sums of links (links, weights) and transfers (transfers, weights) over every chain: out (chains, weights)."""
    n_weights = links.shape[1]
    for c in range(first.size - 1):
        mine = out[c]
        mine[:] = 0.0
        for i in range(first[c], first[c + 1]):
            row = links[arc_link[code[i]]] if code[i] >= 0 else transfers[-1 - code[i]]
            for w in range(n_weights):
                mine[w] += row[w]


@njit(cache=True, nogil=True)
def comes_back(code, first, origin, arc_to, arc_layer, transfer_node, n_nodes, n_layers):
    """Whether a chain is twice at one place on one side; layer 0 is the road, `origin` (chains,) are nodes."""
    seen = np.full(n_nodes * n_layers, -1, dtype=np.int64)
    again = np.zeros(first.size - 1, dtype=np.bool_)
    for c in range(first.size - 1):
        seen[origin[c] * n_layers] = c
        for i in range(first[c], first[c + 1]):
            if code[i] >= 0:
                at = arc_to[code[i]] * n_layers + arc_layer[code[i]]
            else:
                side = arc_layer[code[i + 1]] if i + 1 < first[c + 1] and code[i + 1] >= 0 else 0
                at = transfer_node[-1 - code[i]] * n_layers + side
            if seen[at] == c:
                again[c] = True
            seen[at] = c
    return again


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def list_projects(code, first, arc_link, link_project, transfer_project, listed, size):
    """Projects a chain needs, rising, without repetition: listed (chains, room), size (chains,)."""
    for c in range(first.size - 1):
        n = 0
        for i in range(first[c], first[c + 1]):
            p = link_project[arc_link[code[i]]] if code[i] >= 0 else transfer_project[-1 - code[i]]
            if p < 0:
                continue
            at = n
            while at > 0 and listed[c, at - 1] > p:
                at -= 1
            if at > 0 and listed[c, at - 1] == p:
                continue
            for k in range(n, at, -1):
                listed[c, k] = listed[c, k - 1]
            listed[c, at] = p
            n += 1
        size[c] = n


@njit(cache=True, nogil=True)
def count_uses(code, first, arc_link, link_thing, transfer_thing, out):
    """How often every chain uses every thing: out (chains, things); a thing of -1 is not counted."""
    for c in range(first.size - 1):
        for i in range(first[c], first[c + 1]):
            thing = link_thing[arc_link[code[i]]] if code[i] >= 0 else transfer_thing[-1 - code[i]]
            if thing >= 0:
                out[c, thing] += 1


@njit(cache=True, nogil=True)
def number_legs(code, first, handling, table, number, start, size):
    """Number the legs as they first occur, for every handling on its own.

    handling (chains,); `table` is a free hash table (-1) of at least twice as many cells as there are legs; number
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
            mixed = np.uint64(handling[c] + 1) * np.uint64(0x9E3779B97F4A7C15)
            while e < first[c + 1] and code[e] >= 0:
                mixed = (mixed ^ np.uint64(code[e])) * np.uint64(0x100000001B3)
                mixed ^= mixed >> np.uint64(29)
                number[e] = -1
                e += 1
            slot = np.int64(mixed & np.uint64(mask))
            while table[slot] >= 0:
                k = table[slot]
                if owner[k] == handling[c] and size[k] == e - i:
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
                start[n], size[n], owner[n] = i, e - i, handling[c]
                n += 1
            number[i] = table[slot]
            i = e
    return n
