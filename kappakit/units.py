"""Units: one for each quantity inside kappakit; conversion happens at the border and nowhere else.

Inside: eV, Å, eV/Å, eV/Å³, THz, K, W/(m·K), amu. Constants are CODATA 2018 (exact where the SI defines them).
"""

ELEMENTARY_CHARGE_C = 1.602176634e-19
BOLTZMANN_EV_PER_K = 8.617333262e-5
AVOGADRO_PER_MOL = 6.02214076e23

EV_PER_A3_IN_GPA = 160.21766208
"""1 eV/Å³ in GPa."""

THZ_IN_PER_CM = 33.35640951981521
"""1 THz as a wavenumber in cm⁻¹."""

AMU_PER_A3_IN_G_PER_CM3 = 1.66053906660
"""1 amu/Å³ in g/cm³."""


def gpa_from_ev_per_a3(value: float) -> float:
    """Pressure or stress in GPa from eV/Å³."""
    return value * EV_PER_A3_IN_GPA


def ev_per_a3_from_gpa(value: float) -> float:
    """Pressure or stress in eV/Å³ from GPa."""
    return value / EV_PER_A3_IN_GPA


def per_cm_from_thz(value: float) -> float:
    """Wavenumber in cm⁻¹ from a frequency in THz."""
    return value * THZ_IN_PER_CM
