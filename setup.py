"""Names the packages of the wheel: the folders `functions` and `shared` go below `provenfix`, where nobody else's are.

Everything else about the build stands in pyproject.toml, which cannot say this with a pattern.
"""

from setuptools import find_packages, setup

setup(
    packages=["provenfix", *(f"provenfix.{name}" for name in find_packages(include=["functions*", "shared*"]))],
    package_dir={"provenfix": "provenfix", "provenfix.functions": "functions", "provenfix.shared": "shared"},
)
