"""How the long stages of the protocol are divided on a form, which field needs which choice, choices in words."""

from __future__ import annotations

SECTIONS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "conductivity": (
        ("Supercells", ("supercell_rule", "fc3_width", "fc2_width", "fc3_supercell", "fc2_supercell")),
        (
            "Displacements and force constants",
            (
                "displacements", "displacement", "pair_cutoff", "random_displacement", "fc3_cutoff", "fit_tolerance",
                "max_random", "shell_margin",
            ),
        ),
        ("Mesh of q-points", ("mesh_rule", "mesh_length", "mesh_step", "mesh_change", "max_mesh_length")),
        ("Scattering", ("isotopes", "isotope_purity", "boundary", "interaction")),
        ("Method and ranking", ("method", "lbte_above", "temperature", "ultrahigh")),
        ("Relaxation under symmetry, phonons", ("relax_force", "relax_stress", "imaginary_tolerance")),
        ("What starts by itself", ("max_minutes", "max_sweep_minutes", "max_campaign_minutes")),
    ),
}  # fmt: skip
"""Stage → (title, fields). What a stage gains and nobody sorted comes last, under OTHERS."""
OTHERS = "Others"

USED_WITH: dict[str, tuple[str, str]] = {
    "conductivity.fc3_width": ("conductivity.supercell_rule", "width"),
    "conductivity.fc2_width": ("conductivity.supercell_rule", "width"),
    "conductivity.fc3_supercell": ("conductivity.supercell_rule", "repeat"),
    "conductivity.fc2_supercell": ("conductivity.supercell_rule", "repeat"),
    "conductivity.displacement": ("conductivity.displacements", "systematic"),
    "conductivity.pair_cutoff": ("conductivity.displacements", "systematic"),
    "conductivity.shell_margin": ("conductivity.displacements", "systematic"),
    "conductivity.random_displacement": ("conductivity.displacements", "random"),
    "conductivity.fc3_cutoff": ("conductivity.displacements", "random"),
    "conductivity.fit_tolerance": ("conductivity.displacements", "random"),
    "conductivity.max_random": ("conductivity.displacements", "random"),
    "conductivity.isotope_purity": ("conductivity.isotopes", "enriched"),
}
"""Field → the field and the choice with which alone it is used; the page hides it otherwise."""

CHOICES: dict[str, dict[str, str]] = {
    "conductivity.supercell_rule": {
        "width": "smallest of a width",
        "repeat": "repetitions of the primitive cell (paper)",
    },
    "conductivity.displacements": {
        "systematic": "one and two atoms at a time (paper)",
        "random": "all atoms at random, fitted",
    },
    "conductivity.mesh_rule": {
        "spacing": "by the spacing of q-points",
        "axes": "by the lengths of the cell's vectors (paper)",
    },
    "conductivity.interaction": {"torch": "batched matrix products (torch)", "phono3py": "phono3py's own kernel"},
    "conductivity.isotopes": {
        "none": "none (paper)",
        "natural": "natural abundances",
        "enriched": "enriched in the most abundant one",
    },
    "conductivity.method": {"rta": "RTA, relaxation time approximation", "lbte": "LBTE, full solution"},
}
"""Field of a choice → value → words; a value without words stands for itself."""
