"""What users point a camera at besides a clean row of digits: pages made anew for each seed, by kind."""
