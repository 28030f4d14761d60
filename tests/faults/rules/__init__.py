"""The proof of flow control: random loads and a storm on the script's own clock, beside plain models in Python."""
