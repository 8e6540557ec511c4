"""Passes over all chains: which of them may carry something, and what those use."""

from numba import njit


@njit(cache=True, nogil=True)
def may_carry(start, item, bundle, project_set, ready, wanted, usable, exists):
    """Whether a chain may carry something in a period: its bundle is `wanted` (bundles, periods), its projects are
    `ready` (sets, periods), all its items are `usable` (items, periods).
    """
    for chain in range(bundle.shape[0]):
        for t in range(exists.shape[1]):
            exists[chain, t] = wanted[bundle[chain], t] and ready[project_set[chain], t]
        for k in range(start[chain], start[chain + 1]):
            for t in range(exists.shape[1]):
                if not usable[item[k], t]:
                    exists[chain, t] = False


@njit(cache=True, nogil=True)
def used_by(exists, start, item, bundle, mode_class, now, grows, used, served, compared):
    """Mark the items that chains use (items, periods), the bundles they serve (bundles, periods), and the classes of
    modes that are compared, now and with the period after (2, classes, periods); `now`, `grows` (bundles, periods).
    """
    for chain in range(exists.shape[0]):
        for t in range(exists.shape[1]):
            if not exists[chain, t]:
                continue
            served[bundle[chain], t] = True
            for k in range(start[chain], start[chain + 1]):
                used[item[k], t] = True
            if compared.shape[1]:
                compared[0, mode_class[chain], t] |= now[bundle[chain], t] > 0
                compared[1, mode_class[chain], t] |= grows[bundle[chain], t] > 0


@njit(cache=True, nogil=True)
def count_rows(exists, start, item, what_start, what, seen):
    """How many of `what` (what[what_start[i]:what_start[i + 1]] by item) chains have, each once a chain, in all periods
    in which they may carry something; `seen` (of every what, 0 or more chains) is for the counting.
    """
    total = 0
    for chain in range(exists.shape[0]):
        active = exists[chain].sum()
        if active == 0:
            continue
        for k in range(start[chain], start[chain + 1]):
            for j in range(what_start[item[k]], what_start[item[k] + 1]):
                if seen[what[j]] != chain + 1:
                    seen[what[j]] = chain + 1
                    total += active
    return total
