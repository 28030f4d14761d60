"""`flows demo`: a shop that never closes, to look at."""
