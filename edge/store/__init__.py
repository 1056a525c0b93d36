"""Events in SQLite until every publisher has sent them, and after that as history."""
