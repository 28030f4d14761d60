"""The version of the distribution, `typed-flows`: it is built with this one, and processes tell it of themselves."""

__version__ = "0.1.0"
