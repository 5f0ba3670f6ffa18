"""Packages that are left out: whoever imports them gets names that stand for nothing.

python-kasa imports aiohttp and cryptography whatever is used of it, 16 MB of its 21. Older devices, which speak over a
bare socket, need neither.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

HTTP_PACKAGES = ("aiohttp", "cryptography", "kasa.smart", "kasa.smartcam")


class _Nothing:
    def __init__(self, *_arguments: object, **_named: object) -> None:
        message = f"{type(self).__module__}.{type(self).__name__} was left out, because no plug was said to need it"
        raise NotImplementedError(message)


class _Hollow(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Nothing,), {"__module__": self.__name__})


class _Finder(MetaPathFinder, Loader):
    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(self, fullname: str, _path: object, _target: ModuleType | None = None) -> ModuleSpec | None:
        left_out = any(f"{fullname}.".startswith(f"{package}.") for package in self._packages)
        return ModuleSpec(fullname, self, is_package=True) if left_out else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Hollow(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


_LEFT_OUT: set[str] = set()


def is_left_out(package: str) -> bool:
    """Whether anything in this process has been imported without it."""
    return package in _LEFT_OUT


@contextmanager
def left_out(*packages: str) -> Iterator[None]:
    """What is imported within the block does without these, for ever; others who import them later get the real ones.

    A package that is there already stays as it is. To use a name of one that is not raises NotImplementedError.
    """
    finder = _Finder(packages)
    _LEFT_OUT.update(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _Hollow)]:
            del sys.modules[name]
