"""What pyproject.toml cannot say: a wheel carries a copy of what stands beside the package in a checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
SHIPPED = ("experiments", "constraints.txt")


class WithShipped(build_py):
    """Copies specs and pins into the package, where `harness.storage.places.shipped` finds them."""

    def run(self) -> None:
        """Build the package; one that is installed in editable mode finds them in the checkout."""
        super().run()
        if not self.editable_mode:
            for source, target in self._copies().items():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the files of the wheel."""
        copies = [] if self.editable_mode else [str(target) for target in self._copies().values()]
        return [*super().get_outputs(include_bytecode), *copies]

    def _copies(self) -> dict[Path, Path]:
        """Return file in the checkout -> its copy."""
        found = [path for name in SHIPPED for path in (HERE / name, *(HERE / name).rglob("*"))]
        files = [path for path in found if path.is_file() and "__pycache__" not in path.parts]
        return {path: Path(self.build_lib, "harness", "shipped", path.relative_to(HERE)) for path in files}


setup(cmdclass={"build_py": WithShipped})
