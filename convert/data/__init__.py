"""Load labelled digits: MNIST, a user's photographs, corrections."""
