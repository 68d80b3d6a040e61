"""The last product of the transformation for single elements: most cannot conserve energy and are never needed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def squares(out, half, real, imaginary, triplet, second, first, third):
    """|Σ half · modes|² into out (e,), of elements (e,) by their triplet and bands of q1, q0, q2.

    half (t, b, f, 2 b): real and imaginary parts in turn. real, imaginary (t, b, 2 b): of each mode of q2 what they are
    multiplied by so that the sum is the real and the imaginary part of the product.
    """
    for e in range(len(out)):
        t, j, f, k = triplet[e], second[e], first[e], third[e]
        x, y = 0.0, 0.0
        for n in range(half.shape[3]):
            x += half[t, j, f, n] * real[t, k, n]
            y += half[t, j, f, n] * imaginary[t, k, n]
        out[e] = x * x + y * y


def factors(modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(real, imaginary) of `squares` for complex modes (t, b, b), columns being modes."""
    rows = np.ascontiguousarray(modes.transpose(0, 2, 1))
    shape = *rows.shape[:2], 2 * rows.shape[2]
    return rows.conj().view(np.float64).reshape(shape), (1j * rows.conj()).view(np.float64).reshape(shape)
