"""Why a job is where it is: what was found, a table of reasons, and a sentence."""
