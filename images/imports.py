"""Run by the Python of an image: import every module of the packages named on the command line. What cannot be imported is said."""

import importlib
import pkgutil
import sys


def main(packages: list[str]) -> int:
    """Import them all; 1 if one cannot be."""
    failed = []
    for package in packages:
        names = [package]
        for name in names:
            try:
                module = importlib.import_module(name)
            except ImportError as error:
                failed.append(f"{name}: {error}")
                continue
            found = pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}.")
            names += [info.name for info in found if not info.name.endswith(".__main__")]
    print("\n".join(failed), end="")  # noqa: T201
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
