"""What NumPy has in np.linalg."""

from numpy.linalg import LinAlgError

from .ops.contraction import tensordot
from .ops.decompositions import cholesky, eigh, eigvalsh, qr, svd, svdvals
from .ops.determinants import cond, det, matrix_rank, slogdet
from .ops.inverses import inv, matrix_power, pinv, solve, tensorinv, tensorsolve
from .ops.linalg import linalg_cross as cross
from .ops.linalg import linalg_diagonal as diagonal
from .ops.linalg import linalg_outer as outer
from .ops.linalg import linalg_trace as trace
from .ops.linalg import matmul, multi_dot, vecdot
from .ops.norms import matrix_norm, norm, vector_norm
from .ops.shape import matrix_transpose

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
