"""What people say that a digit really was: kept in a database, and exported as a data set."""
