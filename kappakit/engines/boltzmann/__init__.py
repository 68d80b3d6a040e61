"""Interaction strengths of three phonons for phono3py's Boltzmann equation: phono3py's own kernel, and torch.

With q0 + q1 + q2 = G the strength needs the third derivative of the energy in normal modes,

    Φ(λ0 λ1 λ2) = Σ_{i j k} W0(i, λ0) W1(j, λ1) W2(k, λ2) Σ_{L_I L} Φ(i L_I, j L, k 0) exp 2πi (q0·L_I + q1·L),

where i, j, k are Cartesian components of the atoms of the primitive cell, L lattice vectors and W eigenvectors with
phases and masses. At one q0 the sum over L_I and the one over i are the same for every q1: they are done once. What is
left for a triplet of q-points is a Fourier sum over L, one product of matrices, and a product of vectors for each
element that conserves energy.
"""
