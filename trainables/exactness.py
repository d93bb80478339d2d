"""What makes a member's arithmetic the same to the last bit whoever trains beside it.

Members lie side by side in one batched matrix product. On CPUs that product is MKL's, and by
default it picks its kernel by how a matrix happens to lie in memory, so that a member whose
matrices are not whole 64-byte lines would round differently at another place in its cohort.
``STRICT`` (Intel's conditional numerical reproducibility) takes that choice away; it was measured
to cost nothing on matrices of this size. A product of a single matrix takes yet another road:
``LEAST_ROWS`` is why nothing here is ever batched alone.
"""

from __future__ import annotations

import os

# Read by MKL at its first product, so this module is imported by all that multiply stacks.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

LEAST_ROWS = 2
"""A lone row is computed twice over, so that it takes the same kernels as a row among others."""
