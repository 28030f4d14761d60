"""Acting on many jobs at once: a bulk action is a job of a flow of the library's own."""
