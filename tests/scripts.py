"""Scripts of docs/, as modules."""

import importlib.util


def script(path):
    """What a script defines, without its being run as one."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
