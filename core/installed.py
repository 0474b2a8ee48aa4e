"""Whether a package is installed, told without importing it. Knows no package."""

import importlib.metadata
import importlib.util
from typing import Final

TRIES: Final = 3


def there(module: str, package: str) -> bool:
    """Whether `package` is installed whole, as far as can be told, and its `module` (dotted) has code of its own.

    pip writes a package's record last and removes it first; what an interrupted installation, or an uninstalled
    package's other tenants, left behind is a folder without one, which Python would import as an empty module.
    Looked for more than once: Streamlit takes an entry out of sys.path when a redraw ends, and a look from another
    thread meanwhile skips the next one, where the packages may be.
    """
    return any(_seen(module, package) for _ in range(TRIES))


def _seen(module: str, package: str) -> bool:
    try:
        found = importlib.util.find_spec(module)  # imports the parents of a dotted name, which are folders only
        importlib.metadata.distribution(package)
    except (ImportError, ValueError):  # ValueError: a module in sys.modules without a spec
        return False
    return found is not None and found.origin is not None
