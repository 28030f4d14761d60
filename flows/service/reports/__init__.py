"""Scheduled reports: which endings, which columns, for whom, and when."""
