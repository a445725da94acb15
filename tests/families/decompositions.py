"""What the tests know of the operations in ops/inverses.py, ops/determinants.py and ops/decompositions.py."""

import numpy as np

REFERENCES = {
    "cofactor": lambda a: np.linalg.det(a)[..., None, None] * np.linalg.inv(a).mT,
    "qr_factors": lambda a, complete: np.linalg.qr(a, "complete" if complete else "reduced"),
    "svd_factors": lambda a, full_matrices: np.linalg.svd(a, full_matrices),
}

CASES = {
    "eigvalsh": [(np.diag([1.0, 1.0, 2.0]), "L")],
    "svdvals": [(np.diag([1.0, 1.0, 2.0]),), (np.diag([1.0, 0.0]),)],
}

FOUND = {
    "solve": [(np.stack([np.eye(2), 2 * np.eye(2)]), np.array([[1.0, 2.0], [3.0, 4.0]]))],  # b is no stack of vectors
}
