"""A Gaussian mixture in the subspace where points vary, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

REGULARISATION = 1e-4
SEED = 0


@dataclass(frozen=True, eq=False)
class Mixture:
    """weights (k,), means (k, d) and Cholesky factors (k, d, d) in the subspace; `axes` (d, n) and `origin` (n,)."""

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    axes: np.ndarray
    origin: np.ndarray

    def draw(self, choices: np.ndarray, normals: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """(b, n) points from uniform `choices` (b,) and standard normal `normals` (b, ≥ d)."""
        chosen = np.searchsorted(np.cumsum(self.weights), choices * self.weights.sum(), side="right")
        chosen = np.minimum(chosen, len(self.weights) - 1)
        inner = normals[:, : self.means.shape[1]]
        points = self.means[chosen] + temperature * np.einsum("bij,bj->bi", self.factors[chosen], inner)
        return points @ self.axes + self.origin


def fit_mixture(points: np.ndarray, *, components: int, variance: float) -> Mixture:
    """Fit `components` full covariances to points (m, n), in the principal axes that hold `variance` of the spread."""
    space = PCA(n_components=variance, svd_solver="full").fit(points)
    fitted = GaussianMixture(components, reg_covar=REGULARISATION, random_state=SEED).fit(space.transform(points))
    return Mixture(
        fitted.weights_, fitted.means_, np.linalg.cholesky(fitted.covariances_), space.components_, space.mean_
    )
