"""Train the model that is shipped with the package."""
