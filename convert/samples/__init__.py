"""Training samples: digits as other hands and a camera would show them, and marks that are not digits."""
