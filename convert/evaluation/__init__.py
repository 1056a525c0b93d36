"""What a file loses against its Keras model, and how far its probabilities can be trusted."""
