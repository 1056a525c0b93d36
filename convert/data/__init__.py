"""Labelled digits that a conversion or a training begins with: MNIST, a user's photographs, corrections."""
