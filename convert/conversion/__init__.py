"""Convert a Keras model: try the recipes, compare the files with the model, choose one."""
