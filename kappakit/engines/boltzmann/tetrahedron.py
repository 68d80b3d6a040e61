"""The linear tetrahedron method around the triplets of one q0, compiled: phono3py's weights, element by element.

phono3py's kernel sorts the corners of every tetrahedron for every pair of bands. Most pairs cannot conserve energy with
any band of q0, and most tetrahedra of the others contain none: both are passed over here before anything is sorted.
P. E. Blöchl, O. Jepsen, O. K. Andersen, Phys. Rev. B 49, 16223 (1994); the formulas are those of phonopy.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz", "contract"})
"""No frequency is not a number, and no division here is by zero: neither is looked after."""
EPSILON = 1e-10
"""THz: corners closer than this are one, as phonopy takes them."""


@compiled
def fill(g, allowed, points, second, third, corners, centres):
    """Weights g (kinds, t, b, f, b) per THz, in place; allowed (t,): whether any of a triplet is not zero.

    points (f,) THz, ascending: the bands of q0. second, third (t, b, c) THz: frequencies at the c grid points around q1
    and q2 that the tetrahedra use; corners (m, 4) number those points, centres (m,) say which corner is q1 itself.
    g[0]: δ(ω0 − ω1 − ω2); g[1]: δ(ω0 + ω1 − ω2) − δ(ω0 − ω1 + ω2); g[2]: all three added.
    """
    g[:] = 0.0
    bands = second.shape[1]
    values, found = np.empty(second.shape[2]), np.empty(len(points))
    ranges = np.empty((2, 2, 2, bands))
    for t in range(second.shape[0]):
        allowed[t] = False
        _ranges(ranges[0], second[t])
        _ranges(ranges[1], third[t])
        for kind in range(3):
            one, other = 1 if kind == 1 else 0, 1 if kind == 2 else 0
            for j in range(bands):
                for k in range(bands):
                    begin, end = _between(
                        points,
                        ranges[0, one, 0, j] + ranges[1, other, 0, k],
                        ranges[0, one, 1, j] + ranges[1, other, 1, k],
                    )
                    if begin < end:
                        low, high = _combined(values, second[t, j], third[t, k], 1.0 - 2.0 * one, 1.0 - 2.0 * other)
                        begin, end = _between(points, low, high)
                    if begin < end:
                        allowed[t] = True
                        _pair(found, points, begin, end, values, corners, centres)
                        for f in range(begin, end):
                            _store(g, t, j, f, k, kind, found[f])


@compiled
def _ranges(ranges, frequencies):
    """(sign, lowest and highest, b): of each band at the grid points, and of its negative."""
    for band in range(frequencies.shape[0]):
        low, high = frequencies[band].min(), frequencies[band].max()
        ranges[0, 0, band], ranges[0, 1, band] = low, high
        ranges[1, 0, band], ranges[1, 1, band] = -high, -low


@compiled
def average(g, first_of_second, first_of_third):
    """Means of g (kinds, t, b, f, b), in place, over degenerate bands of q1 and of q2.

    first_of_second, first_of_third (t, b): of each band the lowest one of its degenerate set.
    """
    bands = g.shape[2]
    for t in range(g.shape[1]):
        for j in range(bands):
            if first_of_second[t, j] == j:
                j_end = _end(first_of_second[t], j)
                for k in range(bands):
                    if first_of_third[t, k] == k:
                        k_end = _end(first_of_third[t], k)
                        if (j_end - j) * (k_end - k) > 1:
                            _level(g, t, j, j_end, k, k_end)


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
    begin = 0
    while points[begin] < low:
        begin += 1
    end = begin
    while end < len(points) and points[end] < high:
        end += 1
    return begin, end


@compiled
def _pair(found, points, begin, end, values, corners, centres):
    """Weights of points[begin:end] for one pair of bands into `found`, Σ over all tetrahedra."""
    found[begin:end] = 0.0
    for m in range(len(corners)):
        a, b = values[corners[m, 0]], values[corners[m, 1]]
        c, d = values[corners[m, 2]], values[corners[m, 3]]
        v0, v3 = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        f = begin
        while f < end and points[f] < v0:
            f += 1
        if f < end and points[f] < v3:
            one, other = max(min(a, b), min(c, d)), min(max(a, b), max(c, d))
            centre = values[corners[m, centres[m]]]
            _tetrahedron(found, points, f, end, v0, min(one, other), max(one, other), v3, centre)
    for f in range(begin, end):
        found[f] *= 4.0 / len(corners)


@compiled
def _tetrahedron(found, points, f, end, v0, v1, v2, v3, centre):
    """Adds the weights of the corner with the value `centre`; corners v0 ≤ v1 ≤ v2 ≤ v3, points[f] ≥ v0.

    A cubic polynomial between each two corners, so that bands of q0 in the same interval share its coefficients.
    """
    if points[f] < v1:
        square, cube = _end_piece(v1 - v0, v2 - v0, v3 - v0, centre - v0)
        while f < end and points[f] < v1:
            x = points[f] - v0
            found[f] += x * x * (square + cube * x)
            f += 1
    if f < end and points[f] < v2:
        c0, c1, c2, c3 = _middle(v0, v1, v2, v3, centre)
        while f < end and points[f] < v2:
            x = points[f] - v1
            found[f] += c0 + x * (c1 + x * (c2 + x * c3))
            f += 1
    if f < end and points[f] < v3:
        square, cube = _end_piece(v3 - v2, v3 - v1, v3 - v0, v3 - centre)
        while f < end and points[f] < v3:
            x = v3 - points[f]
            found[f] += x * x * (square + cube * x)
            f += 1


@compiled
def _end_piece(near, between, far, centre):
    """Coefficients of x² and x³ beside the lowest corner, or from the highest one downwards; distances from it."""
    if near < EPSILON:
        return 0.0, 0.0
    a, b, c = 1.0 / near, 1.0 / between, 1.0 / far
    scale = a * b * c
    if centre == 0.0:
        return 3.0 * scale, -scale * (a + b + c)
    return 0.0, scale * (a if centre == near else (b if centre == between else c))


@compiled
def _middle(v0, v1, v2, v3, centre):
    """Coefficients of 1, x, x², x³ between the middle corners, x from the lower one."""
    if v2 - v1 < EPSILON:
        return 0.0, 0.0, 0.0, 0.0
    below, r21, r20 = v1 - v0, 1.0 / (v2 - v1), 1.0 / (v2 - v0)
    r31, r30 = 1.0 / (v3 - v1), 1.0 / (v3 - v0)
    start, r = below * r20, r20
    area = (start, r + r21 - start * r21, -r * r21 - r21 * r31)
    if centre == v0:
        return _cubic(area, r30, 1.0 - below * r30, -r30, _product(1.0 - start, -r, start, r, 1.0, -r21))
    if centre == v1:
        return _cubic(area, r30, 1.0, -r21, _product(1.0, -r31, 1.0, -r31, 0.0, r21))
    if centre == v2:
        return _cubic(area, r30, 0.0, r21, _product(start, r, start, r, 1.0, -r21))
    return _cubic(area, r30, below * r30, r30, _product(0.0, r31, 1.0, -r31, 0.0, r21))


@compiled
def _product(a0, a1, b0, b1, c0, c1):
    """Coefficients of (a0 + a1 x) (b0 + b1 x) (c0 + c1 x)."""
    low, middle, high = a0 * b0, a0 * b1 + a1 * b0, a1 * b1
    return low * c0, low * c1 + middle * c0, middle * c1 + high * c0, high * c1


@compiled
def _cubic(area, scale, g0, g1, added):
    """Coefficients of scale · ((g0 + g1 x) · area + added)."""
    return (
        scale * (g0 * area[0] + added[0]),
        scale * (g0 * area[1] + g1 * area[0] + added[1]),
        scale * (g0 * area[2] + g1 * area[1] + added[2]),
        scale * (g1 * area[2] + added[3]),
    )


@compiled
def _store(g, t, j, f, k, kind, value):
    if kind == 0:
        g[0, t, j, f, k] += value
    else:
        g[1, t, j, f, k] += value if kind == 1 else -value
    if g.shape[0] == 3:
        g[2, t, j, f, k] += value


@compiled
def _end(first, band):
    """One past the last band of the set that begins at `band`."""
    end = band + 1
    while end < len(first) and first[end] == band:
        end += 1
    return end


@compiled
def _level(g, t, j, j_end, k, k_end):
    size = (j_end - j) * (k_end - k)
    for kind in range(g.shape[0]):
        for f in range(g.shape[3]):
            mean = g[kind, t, j:j_end, f, k:k_end].sum() / size
            g[kind, t, j:j_end, f, k:k_end] = mean
