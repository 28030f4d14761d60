"""The version of the distribution, `typed-flows`: it is built with this one, and processes tell it of themselves."""

from typing import Final

VERSION: Final = "0.1.0"
