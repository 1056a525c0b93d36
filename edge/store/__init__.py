"""Stores events in SQLite until every publisher has sent them, and afterwards as history."""
