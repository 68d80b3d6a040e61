"""The linear tetrahedron method around the triplets of one q0, compiled: phono3py's weights, element by element.

Most pairs of bands cannot conserve energy with any band of q0 and are passed over before anything is sorted. For the
others every tetrahedron becomes three cubic polynomials, which are summed without a branch for all bands of q0 between
the pair's lowest and highest corner.
P. E. Blöchl, O. Jepsen, O. K. Andersen, Phys. Rev. B 49, 16223 (1994); the formulas are those of phonopy.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz", "contract"})
"""No frequency is not a number, and no division here is by zero: neither is looked after."""
summing = njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
"""Sums may be taken in any order, so that the processor's vectors can take several terms at once."""
EPSILON = 1e-10
"""THz: corners closer than this are one, as phonopy takes them."""


@compiled
def collect(places, weights, points, second, third, sets, corners, centre):
    """Elements of triplets whose weights are not all zero: their numbers in (t, b, f, b) into `places`, weights per THz
    into `weights` (kinds, e). Returns how many there are; both have room for all.

    points (f,) THz, ascending: the bands of q0. second, third (t, b, c) THz: frequencies at the c grid points around q1
    and q2 that the tetrahedra use; corners (m, 4) number those points, `centre` is that of q1 and q2 themselves.
    sets (2, t, b): of each band of q1 and of q2 the lowest one of its degenerate set, over which weights are averaged.
    weights[0]: δ(ω0 − ω1 − ω2); [1]: δ(ω0 + ω1 − ω2) − δ(ω0 − ω1 + ω2); [2], where there is one: all three added.
    """
    count, bands = 0, second.shape[1]
    g = np.empty((len(weights), bands, len(points), bands))
    for t in range(second.shape[0]):
        g[:] = 0.0
        _fill(g, points, second[t], third[t], corners, centre)
        _average(g, sets[0, t], sets[1, t])
        count = _pick(places, weights, count, g, t * bands * len(points) * bands)
    return count


@compiled
def _pick(places, weights, count, g, offset):
    """Appends what is not zero of one triplet."""
    flat = g.reshape(len(g), -1)
    for place in range(flat.shape[1]):
        if flat[0, place] != 0.0 or flat[1, place] != 0.0 or flat[-1, place] != 0.0:
            places[count] = offset + place
            for kind in range(len(flat)):
                weights[kind, count] = flat[kind, place]
            count += 1
    return count


@compiled
def _fill(g, points, second, third, corners, centre):
    """Weights g (kinds, b, f, b) of one triplet, added."""
    bands = len(second)
    values, found = np.empty(second.shape[1]), np.empty(len(points))
    pieces = np.empty((12, len(corners)))
    ranges = np.empty((2, 2, 2, bands))
    _ranges(ranges[0], second)
    _ranges(ranges[1], third)
    for kind in range(3):
        one, other = 1 if kind == 1 else 0, 1 if kind == 2 else 0
        for j in range(bands):
            for k in range(bands):
                low = ranges[0, one, 0, j] + ranges[1, other, 0, k]
                high = ranges[0, one, 1, j] + ranges[1, other, 1, k]
                begin, end = _between(points, low, high)
                if begin < end:
                    low, high = _combined(values, second[j], third[k], 1.0 - 2.0 * one, 1.0 - 2.0 * other)
                    begin, end = _between(points, low, high)
                if begin < end:
                    _pair(found, points, begin, end, values, values[centre], corners, pieces)
                    for f in range(begin, end):
                        _store(g, j, f, k, kind, found[f])


@compiled
def _ranges(ranges, frequencies):
    """(sign, lowest and highest, b): of each band at the grid points, and of its negative."""
    for band in range(frequencies.shape[0]):
        low, high = frequencies[band].min(), frequencies[band].max()
        ranges[0, 0, band], ranges[0, 1, band] = low, high
        ranges[1, 0, band], ranges[1, 1, band] = -high, -low


@compiled
def _average(g, first_of_second, first_of_third):
    """Means of g (kinds, b, f, b), in place, over degenerate bands of q1 and of q2."""
    bands = g.shape[1]
    for j in range(bands):
        if first_of_second[j] == j:
            j_end = _end(first_of_second, j)
            for k in range(bands):
                if first_of_third[k] == k:
                    k_end = _end(first_of_third, k)
                    if (j_end - j) * (k_end - k) > 1:
                        _level(g, j, j_end, k, k_end)


@compiled
def _combined(values, one, other, one_sign, other_sign):
    """Sums of two bands' frequencies at the grid points, into `values`; (lowest, highest)."""
    low, high = np.inf, -np.inf
    for c in range(len(values)):
        value = one_sign * one[c] + other_sign * other[c]
        values[c] = value
        low, high = min(low, value), max(high, value)
    return low, high


@compiled
def _between(points, low, high):
    """Range of the ascending points in [low, high)."""
    if low > points[-1] or high <= points[0]:
        return 0, 0
    return _first_from(points, low), _first_from(points, high)


@compiled
def _first_from(points, value):
    """Number of the first of the ascending points that is not below the value."""
    begin, end = 0, len(points)
    while begin < end:
        middle = (begin + end) // 2
        if points[middle] < value:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled
def _pair(found, points, begin, end, values, centre, corners, pieces):
    """Weights of points[begin:end] for one pair of bands into `found`, Σ over all tetrahedra."""
    for m in range(len(corners)):
        a, b = values[corners[m, 0]], values[corners[m, 1]]
        c, d = values[corners[m, 2]], values[corners[m, 3]]
        v0, v3 = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        one, other = max(min(a, b), min(c, d)), min(max(a, b), max(c, d))
        _polynomials(pieces, m, v0, min(one, other), max(one, other), v3, centre)
    for f in range(begin, end):
        found[f] = _sum(pieces, points[f]) * 4.0 / len(corners)


@summing
def _sum(pieces, omega):
    """Σ over tetrahedra of their polynomials at omega."""
    total = 0.0
    for m in range(pieces.shape[1]):
        v0, v1, v2, v3 = pieces[0, m], pieces[1, m], pieces[2, m], pieces[3, m]
        x, y, z = omega - v0, omega - v1, v3 - omega
        below = x * x * (pieces[4, m] + pieces[5, m] * x)
        middle = pieces[6, m] + y * (pieces[7, m] + y * (pieces[8, m] + y * pieces[9, m]))
        above = z * z * (pieces[10, m] + pieces[11, m] * z)
        inner = below if omega < v1 else (middle if omega < v2 else above)
        total += inner if (omega >= v0) & (omega < v3) else 0.0
    return total


@compiled
def _polynomials(pieces, m, v0, v1, v2, v3, centre):
    """Corners and coefficients of one tetrahedron into column m: what the corner with the value `centre` weighs.

    A cubic polynomial between each two corners v0 ≤ v1 ≤ v2 ≤ v3: of the distance from v0, from v1, from v3 down.
    """
    r10, r20, r30 = _inverse(v1 - v0), _inverse(v2 - v0), _inverse(v3 - v0)
    r21, r31, r32 = _inverse(v2 - v1), _inverse(v3 - v1), _inverse(v3 - v2)
    pieces[0, m], pieces[1, m], pieces[2, m], pieces[3, m] = v0, v1, v2, v3
    is0, is1, is2 = centre == v0, centre == v1, centre == v2
    low, high = r10 * r20 * r30, r32 * r31 * r30
    pieces[4, m] = 3.0 * low if is0 else 0.0
    pieces[5, m] = -low * (r10 + r20 + r30) if is0 else low * (r10 if is1 else (r20 if is2 else r30))
    top = centre == v3
    pieces[10, m] = 3.0 * high if top else 0.0
    pieces[11, m] = -high * (r32 + r31 + r30) if top else high * (r32 if is2 else (r31 if is1 else r30))
    _middle(pieces, m, v1 - v0, r20, r21, r30, r31, is0, is1, is2)


@compiled
def _middle(pieces, m, below, r20, r21, r30, r31, is0, is1, is2):
    """Coefficients between the middle corners: r30 · (g · area + p · q · s), all of them linear but the area."""
    start, share = below * r20, below * r30
    a0, a1, a2 = start, r20 + r21 - start * r21, -r21 * (r20 + r31)
    g0 = 1.0 - share if is0 else (1.0 if is1 else (0.0 if is2 else share))
    g1 = -r30 if is0 else (-r21 if is1 else (r21 if is2 else r30))
    p0 = 1.0 - start if is0 else (1.0 if is1 else (start if is2 else 0.0))
    p1 = -r20 if is0 else (-r31 if is1 else (r20 if is2 else r31))
    q0 = start if is0 else (1.0 if is1 else (start if is2 else 1.0))
    q1 = r20 if is0 else (-r31 if is1 else (r20 if is2 else -r31))
    s0 = 1.0 if is0 else (0.0 if is1 else (1.0 if is2 else 0.0))
    s1 = -r21 if is0 else (r21 if is1 else (-r21 if is2 else r21))
    low, linear, high = p0 * q0, p0 * q1 + p1 * q0, p1 * q1
    pieces[6, m] = r30 * (g0 * a0 + low * s0)
    pieces[7, m] = r30 * (g0 * a1 + g1 * a0 + low * s1 + linear * s0)
    pieces[8, m] = r30 * (g0 * a2 + g1 * a1 + linear * s1 + high * s0)
    pieces[9, m] = r30 * (g1 * a2 + high * s1)


@compiled
def _inverse(step):
    """0 where two corners are one: nothing lies between them."""
    return 1.0 / step if step >= EPSILON else 0.0


@compiled
def _store(g, j, f, k, kind, value):
    if kind == 0:
        g[0, j, f, k] += value
    else:
        g[1, j, f, k] += value if kind == 1 else -value
    if g.shape[0] == 3:
        g[2, j, f, k] += value


@compiled
def _end(first, band):
    """One past the last band of the set that begins at `band`."""
    end = band + 1
    while end < len(first) and first[end] == band:
        end += 1
    return end


@compiled
def _level(g, j, j_end, k, k_end):
    size = (j_end - j) * (k_end - k)
    for kind in range(g.shape[0]):
        for f in range(g.shape[2]):
            mean = g[kind, j:j_end, f, k:k_end].sum() / size
            g[kind, j:j_end, f, k:k_end] = mean
