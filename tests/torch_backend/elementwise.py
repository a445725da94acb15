"""What torch has for the operations of ops/elementwise.py."""

import torch

from .convert import to_dtype

OPERATIONS = {
    "absolute": torch.abs,
    "add": torch.add,
    "astype": lambda x, dtype: x.to(to_dtype(dtype), copy=True),
    "copy": torch.clone,
    "divide": torch.divide,
    "equal": torch.eq,
    "exp": torch.exp,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "isfinite": torch.isfinite,
    "isinf": torch.isinf,
    "isnan": torch.isnan,
    "less": torch.lt,
    "less_equal": torch.le,
    "log": torch.log,
    "logical_and": torch.logical_and,
    "logical_not": torch.logical_not,
    "logical_or": torch.logical_or,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "multiply": torch.multiply,
    "negative": torch.negative,
    "not_equal": torch.ne,
    "power": torch.pow,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "sign": torch.sign,
    "sqrt": torch.sqrt,
    "subtract": torch.subtract,
    "tanh": torch.tanh,
    "where": torch.where,
}

WITHOUT: dict[str, str] = {}
