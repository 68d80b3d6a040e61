"""A web process never loads an engine: import-linter cannot see through third-party packages, sys.modules can."""

import subprocess
import sys

HEAVY = ("torch", "torch_sim", "nequip", "allegro", "e3nn", "phono3py", "phonopy", "dscribe", "sklearn", "pymatgen")
SCRIPT = """
import sys
from kappaweb.wsgi import application
from django.urls import get_resolver
get_resolver().reverse_dict
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_the_web_process_has_no_engine_loaded() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120)
    loaded = set(found.stdout.split())
    assert "django" in loaded
    assert loaded.isdisjoint(HEAVY)
