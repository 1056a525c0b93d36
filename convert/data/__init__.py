"""Load labelled digits: MNIST, marks as pen strokes, a user's photographs, corrections."""
