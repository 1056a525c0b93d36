"""TFLite files: how they are made, what is in them, which runtimes load them."""
