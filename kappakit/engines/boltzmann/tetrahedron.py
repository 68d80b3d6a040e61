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

    points (f,) THz, ascending: the bands of q0. second, third (t, c, b) THz: frequencies at the c grid points around q1
    and q2 that the tetrahedra use; corners (m, 4) number those points, centres (m,) say which corner is q1 itself.
    g[0]: δ(ω0 − ω1 − ω2); g[1]: δ(ω0 + ω1 − ω2) − δ(ω0 − ω1 + ω2); g[2]: all three added.
    """
    g[:] = 0.0
    bands = second.shape[2]
    values = np.empty(second.shape[1])
    found = np.empty(len(points))
    for t in range(second.shape[0]):
        allowed[t] = False
        for j in range(bands):
            for k in range(bands):
                for kind in range(3):
                    first_sign = -1.0 if kind == 1 else 1.0
                    second_sign = -1.0 if kind == 2 else 1.0
                    low, high = _combined(values, second[t, :, j], third[t, :, k], first_sign, second_sign)
                    begin, end = _between(points, low, high)
                    if begin == end:
                        continue
                    allowed[t] = True
                    _pair(found, points, begin, end, values, corners, centres)
                    for f in range(begin, end):
                        _store(g, t, j, f, k, kind, found[f])


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
    begin = 0
    while begin < len(points) and points[begin] < low:
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
        low, high = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        f = begin
        while f < end and points[f] < low:
            f += 1
        if f == end or points[f] >= high:
            continue
        centre = values[corners[m, centres[m]]]
        small, large = max(min(a, b), min(c, d)), min(max(a, b), max(c, d))
        small, large = min(small, large), max(small, large)
        while f < end and points[f] < high:
            found[f] += _corner(points[f], low, small, large, high, centre)
            f += 1
    for f in range(begin, end):
        found[f] *= 4.0 / len(corners)


@compiled
def _corner(omega, v0, v1, v2, v3, centre):
    """Weight of the corner with the value `centre` at omega, v0 ≤ omega < v3; corners v0 ≤ v1 ≤ v2 ≤ v3."""
    width = v3 - v0
    if omega < v1:
        product = _f(omega, v1, v0) * _f(omega, v2, v0) / width
        if centre == v0:
            return product * (_f(omega, v0, v1) + _f(omega, v0, v2) + _f(omega, v0, v3))
        return product * _f(omega, centre, v0)
    if omega < v2:
        return _middle(omega, v0, v1, v2, v3, centre) / width
    product = _f(omega, v1, v3) * _f(omega, v2, v3) / width
    if centre == v3:
        return product * (_f(omega, v3, v0) + _f(omega, v3, v1) + _f(omega, v3, v2))
    return product * _f(omega, centre, v3)


@compiled
def _middle(omega, v0, v1, v2, v3, centre):
    """As _corner, v1 ≤ omega < v2, times v3 − v0."""
    f12, f21 = _f(omega, v1, v2), _f(omega, v2, v1)
    f13, f20 = _f(omega, v1, v3), _f(omega, v2, v0)
    area = f12 * f20 + f21 * f13
    if area < EPSILON:
        return 0.0
    if centre == v0:
        return _f(omega, v0, v3) * area + _f(omega, v0, v2) * f20 * f12
    if centre == v1:
        return f12 * area + f13 * f13 * f21
    if centre == v2:
        return f21 * area + f20 * f20 * f12
    return _f(omega, v3, v0) * area + _f(omega, v3, v1) * f13 * f21


@compiled
def _f(omega, to, origin):
    """How far omega lies from one corner towards another, 0 where they are one."""
    step = to - origin
    return (omega - origin) / step if abs(step) >= EPSILON else 0.0


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
