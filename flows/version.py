"""The version of the distribution, `typed-flows`: it is built with this one, and processes tell it of themselves."""

from typing import Final

__version__: Final = "0.1.0"
