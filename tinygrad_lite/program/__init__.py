"""The jit: it records what a function of Tensors does, and writes that down as a NumPy program.

record.py      one call of the function, watched: a list of steps, forward, backward and writes alike
steps.py       what a recording is made of
guards.py      what the function knows from outside, and whether it is still the same; asked.py: what it asks of that
lower.py       the steps in NumPy's calls; lowerings.py, lowerings_neural.py: those that take several
passes.py      what makes the program shorter and faster
emit.py        the program as the source of a function
replay.py      a program that is ready to run
compiled.py    the function that users call: it records for each kind of arguments, and replays
"""

from . import lowerings, lowerings_neural
from .compiled import Compiled, jit
from .steps import JitError

__all__ = ["Compiled", "JitError", "jit", "lowerings", "lowerings_neural"]
