"""How a report gets to whom it is for, one file for each way."""
