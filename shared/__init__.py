"""The product without its entry points; nothing here imports `functions`."""

from shared.lazy_modules import install

install("functions", "shared")
