"""Corrections: which digit people say it really was, kept in a database and exported as a data set."""
