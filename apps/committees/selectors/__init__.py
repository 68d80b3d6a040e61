"""Questions about committees, their labels, and the potentials that came of them."""
