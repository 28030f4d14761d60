"""Reads the annotations of users' classes and functions, where they are declared."""
